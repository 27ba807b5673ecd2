"""Receipts: wanted with the money, issued by the receipt system, void or made out anew when money goes back."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

import payments
from backend.kernel import clock, ids
from backend.kernel.problems import ImpossibleMove
from backend.store.unit import run_unit
from payments.receipts import asking as receipt_asking
from tests.payments.makers import events_of, hear, succeeded
from tests.payments.receipt_makers import Receipts
from tests.people.makers import by_wechat


@pytest.fixture
def mine(street: Any) -> Receipts:
    return Receipts(street)


def test_a_paid_fee_gets_a_fiscal_receipt(mine: Receipts) -> None:
    assert (mine.seen.state, mine.seen.number, mine.seen.verify_url) == ("wanted", None, None)
    receipt = mine.issued()
    assert receipt.code == f"990101{clock.today().year % 100:02d}"
    assert (len(receipt.number or ""), len(receipt.check_code or ""), receipt.kind) == (10, 6, "fiscal")
    (kept,) = mine.at_the_office()
    assert (kept["amount_fen"], kept["payer"], kept["kind"]) == (8000, "未实名用户", "fee")
    assert events_of(mine.street.desk.matter, "ReceiptIssued") == [
        {
            "matter": mine.street.desk.matter, "person_id": mine.payment.person_id,
            "payment_id": mine.payment.id, "receipt_id": receipt.id,
        }
    ]  # fmt: skip
    told = run_unit(lambda u: [entry.says for entry in u.journal_of(mine.street.desk.matter)])
    assert told[-1] == "电子票据已开具"


def test_the_receipt_of_a_bill_names_its_unit(street: Any, bill: Any) -> None:
    fine = bill()
    subject = payments.subject_of_bill(fine.id)
    street.desk.subject, street.desk.matter = subject, fine.id
    mine = Receipts(street, fine.total_fen)
    assert mine.issued().unit == "测试交警支队"
    (kept,) = mine.at_the_office()
    assert (kept["kind"], kept["code"][:6], kept["unit"]["region"]) == ("fine", "990102", "341602")


def test_the_receipt_names_who_paid_as_registered(town: Any, street: Any) -> None:
    payer = by_wechat(town).papers("测试甲")
    assert payer.register().ok
    street.desk.person_id = payer.id
    mine = Receipts(street)
    mine.issued()
    words = run_unit(lambda u: payments.receipt_words(u, mine.payment.id))
    assert (words.payer, mine.at_the_office()[0]["payer"]) == ("测试甲", "测试甲")


def test_a_lost_answer_gives_no_second_receipt(mine: Receipts) -> None:
    mine.fault("issue", "5xx_after")
    mine.chore()
    assert mine.seen.state == "wanted"
    receipt = mine.issued()
    assert [kept["number"] for kept in mine.at_the_office()] == [receipt.number]


def test_a_worker_that_died_is_followed(mine: Receipts) -> None:
    mine.claimed()
    assert mine.issued().edition == 1


def test_a_silent_receipt_system_holds_nothing_up(mine: Receipts) -> None:
    mine.fault("issue", "5xx", times=receipt_asking.receipts.PATIENCE)
    for _ in range(receipt_asking.receipts.PATIENCE):
        mine.chore()
    assert (mine.street.desk.look(mine.payment).state, mine.seen.state) == ("paid", "wanted")
    assert mine.is_troubled
    assert mine.issued().state == "issued"
    assert not mine.is_troubled


def test_a_refusal_waits_for_staff(mine: Receipts) -> None:
    mine.fault("issue", "refuse", code="UNIT_BLOCKED")
    mine.chore()
    assert (mine.seen.state, mine.chore()) == ("failed", 0)
    assert mine.is_troubled
    receipt_id = mine.seen.id
    shown = run_unit(lambda u: payments.troubled_receipt(u, receipt_id))
    assert (shown.failure or "").startswith("UNIT_BLOCKED")
    mine.ask_again()
    assert mine.issued().says == "有效"


def test_an_issued_receipt_is_not_asked_again(mine: Receipts) -> None:
    mine.issued()
    with pytest.raises(ImpossibleMove):
        mine.ask_again()


def test_a_whole_refund_voids_the_receipt(mine: Receipts) -> None:
    proof = mine.proof(mine.issued())
    assert run_unit(lambda u: payments.receipt_by_proof(u, proof)).valid
    mine.give_back()
    shown = run_unit(lambda u: payments.receipt_by_proof(u, proof))
    assert (shown.valid, shown.says) == (False, "作废中")
    mine.chore()
    assert (mine.seen.state, mine.seen.voided_at is not None, len(mine.all)) == ("void", True, 1)
    assert [kept["state"] for kept in mine.at_the_office()] == ["void"]
    assert len(events_of(mine.street.desk.matter, "ReceiptVoided")) == 1


def test_a_part_refund_makes_the_receipt_out_anew(mine: Receipts) -> None:
    first = mine.issued()
    mine.give_back(3000)
    mine.chore()
    second = mine.issued()
    assert (second.edition, second.amount_fen, second.amount_in_words) == (2, 5000, "伍拾元整")
    assert [(one.state, one.amount_fen) for one in mine.all] == [("issued", 5000), ("void", 8000)]
    at_office = {kept["number"]: (kept["state"], kept["amount_fen"]) for kept in mine.at_the_office()}
    assert at_office == {first.number: ("void", 8000), second.number: ("issued", 5000)}


def test_two_part_refunds_at_once_make_one_receipt(mine: Receipts) -> None:
    mine.issued()
    mine.give_back(3000)
    mine.give_back(1000)
    mine.chore()
    assert (mine.issued().amount_fen, len(mine.all)) == (4000, 2)


def test_a_receipt_nobody_asked_for_is_dropped(mine: Receipts) -> None:
    mine.give_back()
    assert (mine.seen.state, mine.chore(), mine.at_the_office()) == ("void", 0, [])
    assert not events_of(mine.street.desk.matter, "ReceiptVoided")


def test_a_receipt_nobody_asked_for_follows_the_rest(mine: Receipts) -> None:
    mine.give_back(3000)
    assert (mine.issued().amount_fen, len(mine.all)) == (5000, 1)


def test_a_refused_receipt_follows_the_rest(mine: Receipts) -> None:
    mine.fault("issue", "refuse")
    mine.chore()
    mine.give_back(3000)
    mine.ask_again()
    assert mine.issued().amount_fen == 5000


@pytest.mark.parametrize(("back_fen", "left"), [(None, []), (3000, [5000])])
def test_a_lost_receipt_asked_again_is_still_recalled(
    mine: Receipts, back_fen: int | None, left: list[int]
) -> None:
    """Its answer was lost, staff click, and the money goes back before the chore asks: it stands at the office."""
    mine.fault("issue", "5xx_after")
    mine.chore()
    mine.ask_again()
    mine.give_back(back_fen)
    assert mine.seen.state == "voiding"
    mine.chore()
    assert mine.valid_at_the_office() == left
    assert [kept["amount_fen"] for kept in mine.at_the_office() if kept["state"] == "void"] == [8000]


@pytest.mark.parametrize(("back_fen", "left"), [(None, []), (3000, [5000])])
def test_a_no_that_hides_a_yes_is_recalled(mine: Receipts, back_fen: int | None, left: list[int]) -> None:
    on_its_way = mine.claimed()
    mine.fault("issue", "refuse")
    assert receipt_asking.ask(on_its_way)
    receipt_asking.ask(on_its_way)
    assert (mine.seen.state, mine.valid_at_the_office()) == ("failed", [8000])
    mine.give_back(back_fen)
    mine.chore()
    assert mine.valid_at_the_office() == left


def test_asking_again_forgets_nothing_and_waits_for_nothing(mine: Receipts) -> None:
    assert mine.ask_again().asked == 0
    mine.fault("issue", "5xx", times=receipt_asking.receipts.PATIENCE)
    for _ in range(receipt_asking.receipts.PATIENCE):
        mine.chore()
    assert (mine.is_troubled, mine.ask_again().asked, mine.is_troubled) == (True, 1, False)


def test_a_receipt_recalled_while_asked_for_ends_void(mine: Receipts) -> None:
    on_its_way = mine.claimed()
    mine.give_back()
    assert receipt_asking.ask(on_its_way)
    assert (mine.seen.state, mine.seen.number is not None) == ("voiding", True)
    mine.chore()
    assert [kept["state"] for kept in mine.at_the_office()] == ["void"]


def test_a_question_that_comes_too_late_changes_nothing(mine: Receipts) -> None:
    on_its_way = mine.claimed()
    mine.give_back()
    mine.chore()
    assert mine.seen.state == "void"
    assert not receipt_asking.ask(on_its_way)
    assert (mine.seen.state, mine.seen.number) == ("void", None)


def test_a_late_yes_after_a_no_changes_nothing(mine: Receipts) -> None:
    on_its_way = mine.claimed()
    mine.fault("issue", "refuse")
    assert receipt_asking.ask(on_its_way)
    assert not receipt_asking.ask(on_its_way)
    assert (mine.seen.state, mine.seen.number) == ("failed", None)
    mine.ask_again()
    assert [kept["number"] for kept in mine.at_the_office()] == [mine.issued().number]


def test_a_void_that_is_refused_waits_for_staff(mine: Receipts) -> None:
    mine.issued()
    mine.give_back(3000)
    mine.fault("void", "refuse", code="PERIOD_CLOSED")
    mine.chore()
    assert (mine.seen.state, len(mine.all)) == ("stuck", 1)
    mine.ask_again()
    mine.chore()
    assert (mine.issued().edition, mine.seen.amount_fen) == (2, 5000)


def test_a_number_given_twice_is_for_staff(mine: Receipts) -> None:
    taken = mine.issued()
    subject, matter = payments.subject_of_case(ids.new_id("cs")), ids.new_id("cs")
    other = Receipts(replace(mine.street, desk=replace(mine.street.desk, subject=subject, matter=matter)))
    moved = (
        "UPDATE payments_receipt SET number = lpad((number::bigint + 1)::text, 10, '0') WHERE id = :receipt"
    )
    run_unit(lambda u: u.session.execute(text(moved), {"receipt": taken.id}))
    other.chore()
    receipt_id = other.seen.id
    shown = run_unit(lambda u: payments.troubled_receipt(u, receipt_id))
    assert (shown.state, (shown.failure or "")[:12]) == ("failed", "NUMBER_TAKEN")


def test_receipts_of_the_time_before_can_be_voided(mine: Receipts) -> None:
    made = (
        "UPDATE payments_receipt SET state = 'issued', code = '99010126', number = :number, check_code = 'abcdef',"
        " issued_at = wanted_at WHERE id = :receipt"
    )
    values = {"receipt": mine.seen.id, "number": ids.digits(10)}
    run_unit(lambda u: u.session.execute(text(made), values))
    assert mine.seen.kind == "zhangban"
    mine.give_back()
    mine.chore()
    assert mine.seen.state == "void"


def test_a_receipt_belongs_to_who_owed_the_money(street: Any) -> None:
    owner = ids.new_id("ps")
    payment = street.desk.open(owed_by=owner)
    payment = run_unit(lambda u: payments.attach_ticket(u, payment.id, f"ticket-{payment.id}"))
    hear(succeeded(payment))
    assert run_unit(lambda u: payments.receipt_of(u, payment.id, owner)).state == "wanted"
    with pytest.raises(payments.PaymentNotFound):
        run_unit(lambda u: payments.receipt_of(u, payment.id, payment.person_id))
    assert [one.payment_id for one in run_unit(lambda u: payments.receipts_of(u, owner))] == [payment.id]
