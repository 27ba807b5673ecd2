"""The fee: demanded at acceptance, settled by news of the payment, never by a wrong amount."""

import pytest
from sqlalchemy import text

from backend import cases
from backend.contracts import PaymentRefunded, PaymentSucceeded
from backend.kernel import ids
from backend.store.unit import run_unit, unit
from tests.cases import makers
from tests.cases.makers import HOME, LICENCE, citizen, file_case, officer

pytestmark = pytest.mark.usefixtures("items")
BOSS = officer()


def accepted(item_id: str = HOME) -> tuple[str, str]:
    case_id, who = file_case(item_id)
    if item_id == HOME:
        run_unit(lambda u: cases.pass_pre_review(u, case_id, BOSS))
    run_unit(lambda u: cases.accept(u, case_id, BOSS))
    return case_id, who


def paid(case_id: str, who: str, amount: int, payment_id: str | None = None) -> PaymentSucceeded:
    return PaymentSucceeded(case_id, who, payment_id or ids.new_id("pay"), f"case:{case_id}", amount)


def hear(event: PaymentSucceeded) -> None:
    run_unit(lambda u: cases.on_payment_succeeded(u, event))


def hear_back(news: PaymentSucceeded, amount: int) -> PaymentRefunded:
    """Part or all of a payment went back."""
    back = PaymentRefunded(
        news.matter, news.person_id, news.payment_id, news.subject, amount, ids.new_id("rf")
    )
    run_unit(lambda u: cases.on_payment_refunded(u, back))
    return back


def given_up(case_id: str) -> list[str]:
    """Payments the case has told the town it does not want."""
    asked = text("SELECT payload FROM store_outbox WHERE stream = :m AND kind = 'FeeNotWanted' ORDER BY id")
    told = run_unit(lambda u: list(u.session.scalars(asked, {"m": case_id})))
    return [one["payment_id"] for one in told]


def fee(case_id: str, who: str) -> cases.FeeDue:
    return run_unit(lambda u: cases.fee_due(u, case_id, who))


def test_the_fee_follows_the_answers_of_the_form() -> None:
    case_id, who = accepted()
    due = fee(case_id, who)
    assert (due.amount_fen, due.state, due.department_id) == (9000, "due", makers.LAND)
    assert [line.amount_fen for line in due.lines] == [8000, 1000]


def test_the_citizen_holds_the_ball_until_it_is_paid() -> None:
    case_id, who = accepted()
    with unit() as u:
        seen = cases.progress_of(u, case_id, who)
    assert seen.holder == "citizen"
    assert seen.actions[0].action == "pay"
    hear(paid(case_id, who, 9000))
    with unit() as u:
        assert cases.progress_of(u, case_id, who).holder == "department"


def test_nothing_is_decided_while_the_fee_is_due() -> None:
    case_id, who = accepted()
    run_unit(lambda u: cases.start_review(u, case_id, BOSS))
    with pytest.raises(cases.FeeStillDue):
        run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    hear(paid(case_id, who, 9000))
    assert run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason="")).state == "granted"


def test_news_of_the_same_payment_twice_changes_nothing() -> None:
    case_id, who = accepted()
    news = paid(case_id, who, 9000)
    hear(news)
    hear(news)
    with unit() as u:
        assert sum(line.trigger == "fee_paid" for line in u.journal_of(case_id)) == 1
    assert fee(case_id, who).payment_id == news.payment_id


def test_another_amount_leaves_the_fee_due() -> None:
    case_id, who = accepted()
    hear(paid(case_id, who, 100))
    assert fee(case_id, who).state == "due"
    with unit() as u:
        line = u.journal_of(case_id)[-1]
    assert (line.trigger, line.facts) == ("fee_mismatch", {"amount_fen": 100, "due_fen": 9000})


def test_a_second_payment_is_only_written_down() -> None:
    case_id, who = accepted()
    hear(paid(case_id, who, 9000))
    first = fee(case_id, who).payment_id
    hear(paid(case_id, who, 9000))
    assert fee(case_id, who).payment_id == first


def test_a_surplus_returned_leaves_the_fee_paid() -> None:
    case_id, who = accepted()
    hear(paid(case_id, who, 9000))
    back = PaymentRefunded(
        case_id, who, ids.new_id("pay"), f"case:{case_id}", 9000, refund_id=ids.new_id("rf")
    )
    run_unit(lambda u: cases.on_payment_refunded(u, back))
    assert fee(case_id, who).state == "paid"


def test_a_full_refund_of_the_fee_is_seen() -> None:
    case_id, who = accepted()
    news = paid(case_id, who, 9000)
    hear(news)
    back = PaymentRefunded(case_id, who, news.payment_id, news.subject, 9000, refund_id=ids.new_id("rf"))
    run_unit(lambda u: cases.on_payment_refunded(u, back))
    assert fee(case_id, who).state == "refunded"


def test_a_withdrawn_case_wants_no_fee() -> None:
    case_id, who = accepted()
    run_unit(lambda u: cases.withdraw_case(u, case_id, who, "", citizen(who)))
    assert fee(case_id, who).state == "void"


def test_money_that_comes_after_the_withdrawal_goes_back() -> None:
    case_id, who = accepted()
    run_unit(lambda u: cases.withdraw_case(u, case_id, who, "", citizen(who)))
    news = paid(case_id, who, 9000)
    hear(news)
    hear(news)
    assert given_up(case_id) == [news.payment_id]
    with unit() as u:
        assert cases.progress_of(u, case_id, who).steps[-1].says == "费用将原路退回"


def test_a_fee_paid_before_the_withdrawal_goes_back() -> None:
    case_id, who = accepted()
    news = paid(case_id, who, 9000)
    hear(news)
    assert given_up(case_id) == []
    run_unit(lambda u: cases.withdraw_case(u, case_id, who, "", citizen(who)))
    assert given_up(case_id) == [news.payment_id]
    assert fee(case_id, who).state == "paid"
    with unit() as u:
        said = [step.says for step in cases.progress_of(u, case_id, who).steps]
    assert said[-2:] == ["撤回了申请", "费用将原路退回"]
    hear_back(news, 9000)
    assert fee(case_id, who).state == "refunded"


def test_parts_that_went_back_add_up() -> None:
    case_id, who = accepted()
    news = paid(case_id, who, 9000)
    hear(news)
    part = hear_back(news, 3000)
    run_unit(lambda u: cases.on_payment_refunded(u, part))
    assert fee(case_id, who).state == "paid"
    hear_back(news, 6000)
    assert fee(case_id, who).state == "refunded"


def test_a_withdrawn_case_that_keeps_its_fee_is_found() -> None:
    case_id, who = accepted()
    hear(paid(case_id, who, 9000))
    forgotten = text("UPDATE cases_case SET fee_state = :state, fee_payment_id = 'pay-x' WHERE id = :id")
    run_unit(lambda u: cases.withdraw_case(u, case_id, who, "", citizen(who)))
    with unit() as u:
        assert not [fault for fault in cases.check_books(u) if case_id in fault]
        u.session.execute(forgotten, {"id": case_id, "state": "paid"})
        assert [fault for fault in cases.check_books(u) if case_id in fault]
        u.session.execute(forgotten, {"id": case_id, "state": "refunded"})


def test_an_item_without_fee_asks_for_none() -> None:
    case_id, who = accepted(LICENCE)
    assert (fee(case_id, who).state, fee(case_id, who).amount_fen) == ("none", 0)


def test_a_payment_for_a_bill_is_not_our_business() -> None:
    run_unit(
        lambda u: cases.on_payment_succeeded(
            u, PaymentSucceeded("bi-x", "ps-x", ids.new_id("pay"), "bill:bi-x", 100)
        )
    )
    assert run_unit(lambda u: u.journal_of("bi-x")) == []
