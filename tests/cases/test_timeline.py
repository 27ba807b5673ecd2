"""The citizen's timeline folds technical lines; the journal, staff and the export keep every one."""

import pytest

from backend.cases import telling, wording
from backend.cases.machine import CASE
from backend.cases.views import Step
from backend.kernel import clock
from payments.machine import PAYMENT, REFUND
from payments.receipts.machine import RECEIPT
from payments.wording import OPENED

MACHINES = {"cs": CASE, "pay": PAYMENT, "rc": RECEIPT, "rf": REFUND}
NOTES = {
    ("cs", "pre_review_near_due"),
    ("pay", "begun"),
    ("pay", "fee_paid"),
    ("pay", "fee_refunded"),
    ("rf", "begun"),
}
OPENING = ("pay", "begun", OPENED)
WAITING = ("pay", "prepared", "等待支付，请尽快完成")
PAID = [("pay", "succeeded", "支付成功"), ("pay", "fee_paid", "费用已缴清")]
ASKED_BACK = [("pay", "refund_requested", "已发起退款"), ("rf", "begun", "退款申请已登记")]
BACK = [
    ("rf", "sent", "退款已提交支付渠道"),
    ("rf", "succeeded", "退款已到账"),
    ("pay", "returned_whole", "款项已全部退回"),
    ("pay", "fee_refunded", "费用已退回"),
]


def read(*lines: tuple[str, str, str]) -> list[str]:
    """What a citizen reads of these lines: kind of subject, trigger, words."""
    steps = [Step(clock.now(), says, "", kind, trigger, {}) for kind, trigger, says in lines]
    return [step.says for step in telling.told_to_citizen(steps)]


def test_an_unpaid_payment_is_told_as_waiting() -> None:
    assert read(("cs", "fee_demanded", "请缴费"), OPENING, WAITING) == ["请缴费", WAITING[2]]


def test_one_act_of_payment_is_one_line() -> None:
    assert read(OPENING, WAITING, *PAID) == ["支付成功"]


def test_an_attempt_given_up_leaves_no_line() -> None:
    given_up = [OPENING, WAITING, ("pay", "closed", "支付单已关闭，未收款")]
    assert read(*given_up) == []
    assert read(*given_up, OPENING, WAITING, *PAID, ("pay", "close_requested", "支付单正在关闭")) == [
        "支付成功"
    ]


def test_a_refund_is_told_while_it_runs_and_when_it_is_back() -> None:
    assert read(*PAID, *ASKED_BACK) == ["支付成功", "已发起退款"]
    assert read(*PAID, *ASKED_BACK, *BACK) == ["支付成功", "款项已全部退回"]


def test_lines_about_other_things_do_not_overtake() -> None:
    assert read(WAITING, ("cs", "review_started", "开始审查")) == [WAITING[2], "开始审查"]


@pytest.mark.parametrize("line", sorted((wording.FOLDED | wording.FOLDED_LATER) - NOTES))
def test_every_folded_line_is_a_move_of_somebody(line: tuple[str, str]) -> None:
    kind, trigger = line
    assert trigger in {move.trigger for move in MACHINES[kind].moves}
