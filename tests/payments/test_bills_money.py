"""What a bill tells of its money: its payment, when, and its receipt; and what becomes of a fine that was wrong."""

from datetime import timedelta

import pytest

import payments
from backend import people
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput
from backend.store.unit import Actor, run_unit
from tests.payments.makers import CLERK, events_of, hear, returned, succeeded
from tests.payments.receipt_makers import Receipts
from tests.payments.test_windows import at_desk, begin, found, pushed
from tests.people.makers import Citizen, by_wechat, officer

BOSS = Actor("staff", "st-second", "财务复核")
EVERYWHERE = people.Scope("finance", "BZ-TEST", None)


def opened(bill: payments.BillView, person_id: str = "") -> payments.PaymentView:
    payer = Actor("citizen", person_id or ids.new_id("ps"))
    payments.look_up_bill(payer.id, bill.notice_no, "AB12CD")
    return run_unit(lambda u: payments.open_bill_payment(u, bill.id, payer.id, "wechat_pay", payer))


def paid(bill: payments.BillView, person_id: str = "") -> payments.PaymentView:
    payment = opened(bill, person_id)
    assert hear(succeeded(payment))
    return payment


def seen(bill: payments.BillView, **asked: str) -> payments.BillView:
    return run_unit(lambda u: payments.bill_of(u, bill.id, **asked))


def given_back(payment, amount_fen=None, **asked) -> payments.RefundView:
    return run_unit(lambda u: payments.request_refund(u, payment.id, amount_fen, "处罚有误", CLERK, **asked))


def test_a_paid_bill_names_its_payment_and_moment(bill):
    issued = bill()
    assert (issued.payment_id, issued.paid_at, issued.has_receipt) == (None, None, False)
    payment = paid(issued)
    told = seen(issued)
    assert (told.payment_id, told.paid_at is not None) == (payment.id, True)


def test_who_neither_paid_nor_owed_learns_no_payment(bill):
    issued, payer, reader = bill(), ids.new_id("ps"), ids.new_id("ps")
    payment = paid(issued, payer)
    payments.look_up_bill(reader, issued.notice_no, "AB12CD")
    assert seen(issued, person_id=payer).payment_id == payment.id
    assert (seen(issued, person_id=reader).payment_id, seen(issued, person_id=reader).state) == (None, "paid")
    [listed] = run_unit(lambda u: payments.bills_of(u, reader))
    assert (listed.payment_id, listed.paid_at is not None) == (None, True)


def test_a_bill_tells_of_its_receipt(bill, street):
    issued = bill()
    receipts = Receipts(street)
    receipts.payment = paid(issued)
    street.desk.matter = issued.id
    assert not seen(issued).has_receipt
    receipts.issued()
    assert seen(issued).has_receipt


def test_money_that_went_back_is_told_no_more(bill):
    issued = bill()
    payment = paid(issued)
    hear(returned(payment, given_back(payment)))
    assert (seen(issued).state, seen(issued).payment_id, seen(issued).paid_at) == ("due", None, None)


def test_bills_are_listed_by_the_day_of_their_money(bill):
    earlier, later, due = bill(), bill(), bill()
    paid(earlier)
    clock.advance(timedelta(days=1))
    paid(later)

    def since(day) -> set[str]:
        wanted = payments.BillFilter(paid_from=day)
        return {b.id for b in run_unit(lambda u: payments.bills_at_desk(u, [EVERYWHERE], wanted, limit=50))}

    mine = {earlier.id, later.id, due.id}
    assert since(clock.today()) & mine == {later.id}
    assert since(clock.today() - timedelta(days=1)) & mine == {earlier.id, later.id}
    assert since(clock.today() + timedelta(days=1)) & mine == set()


def test_a_wrong_fine_is_withdrawn_with_its_money(bill):
    issued = bill()
    payment = paid(issued)
    refund = given_back(payment, withdraw_bill=True)
    assert (refund.withdraw_bill, seen(issued).state) == (True, "paid")
    hear(returned(payment, refund))
    told = seen(issued)
    assert (told.state, told.total_fen) == ("withdrawn", 10_000)
    with pytest.raises(payments.BillNotDue):
        opened(issued)


def test_the_rest_of_a_wrong_fine_withdraws_it_too(bill):
    issued = bill()
    payment = paid(issued)
    hear(returned(payment, given_back(payment, 4_000)))
    hear(returned(payment, given_back(payment, withdraw_bill=True)))
    assert seen(issued).state == "withdrawn"


def test_a_refund_that_failed_withdraws_nothing(bill):
    issued = bill()
    payment = paid(issued)
    refund = given_back(payment, withdraw_bill=True)
    hear(returned(payment, refund, trigger="refund_failed"))
    assert seen(issued).state == "paid"
    hear(returned(payment, given_back(payment)))
    assert seen(issued).state == "due"


def test_a_failed_refund_tried_again_still_withdraws(bill):
    issued = bill()
    payment = paid(issued)
    refund = given_back(payment, withdraw_bill=True)
    hear(returned(payment, refund, trigger="refund_failed"))
    again = run_unit(lambda u: payments.retry_refund(u, refund.id, CLERK))
    hear(returned(payment, again))
    assert seen(issued).state == "withdrawn"


def test_a_large_wrong_fine_waits_for_the_second_yes(bill):
    issued = bill(principal_fen=200_000)
    run_unit(lambda u: payments.mark_window_handled(u, issued.id, "BZ-TEST", CLERK))
    payment = paid(issued)
    refund = given_back(payment, withdraw_bill=True)
    assert (refund.state, refund.withdraw_bill) == ("second", True)
    run_unit(lambda u: payments.approve_refund(u, refund.id, BOSS))
    hear(returned(payment, refund))
    assert seen(issued).state == "withdrawn"


def test_a_part_does_not_withdraw_a_bill(bill, desk):
    part = paid(bill())
    with pytest.raises(InvalidInput) as told:
        given_back(part, 9_999, withdraw_bill=True)
    assert [fault["field"] for fault in told.value.extra["errors"]] == ["withdraw_bill"]
    with pytest.raises(InvalidInput):
        given_back(desk.paid(), withdraw_bill=True)


def test_a_withdrawn_bill_tells_the_town(bill):
    issued = bill()
    run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-TEST", "重复开具", CLERK))
    assert len(events_of(issued.id, "BillWithdrawn")) == 1


def test_the_desk_withdraws_a_wrong_fine_over_http(town):
    finance = officer(town, "finance")
    citizen: Citizen = by_wechat(town)
    bill = found(citizen, pushed(town, finance))
    order = begin(citizen, bill).json()
    payment = run_unit(lambda u: payments.payment_of(u, order["payment_id"]))
    assert hear(succeeded(payment))
    today = clock.today().isoformat()
    listed = at_desk(town, finance, "GET", f"/bills?paid_from={today}&notice_no={bill['notice_no']}").json()
    assert [one["payment_id"] for one in listed["items"]] == [payment.id]
    mine = citizen.ask("GET", f"/bills/{bill['id']}").json()
    assert (mine["payment_id"], mine["has_receipt"]) == (payment.id, False)
    wish = {"reason": "处罚决定已撤销", "withdraw_bill": True}
    answer = at_desk(town, finance, "POST", f"/payments/{payment.id}/refunds", wish | {"amount_fen": 1})
    assert answer.json()["errors"][0]["field"] == "withdraw_bill"
    answer = at_desk(town, finance, "POST", f"/payments/{payment.id}/refunds", wish)
    assert (answer.status_code, answer.json()["withdraw_bill"]) == (201, True)
