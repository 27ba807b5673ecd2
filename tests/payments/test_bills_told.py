"""Whom a bill names hears of it: when it is pushed, before its last day, and before a fine begins to grow."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

import notifications
import payments
from backend.contracts import Event
from backend.kernel import clock
from backend.store.outbox import OutboxRow
from backend.store.unit import Unit, run_unit
from notifications import money_reactions, sending
from payments import tasks
from tests.payments.makers import CLERK, FINE_OF_100_YUAN, hear, succeeded
from tests.people.makers import Citizen, by_wechat, fresh_id_no

FEE = {"kind": "fee", "overdue_ppm": 500}
EARS: dict[str, Callable[..., None]] = {
    "BillIssued": money_reactions.on_bill_issued,
    "BillReminderDue": money_reactions.on_bill_reminder_due,
    "BillWithdrawn": money_reactions.on_bill_withdrawn,
    "PaymentSucceeded": money_reactions.on_bill_paid,
}


@pytest.fixture
def citizen(town: Any) -> Citizen:
    at(clock.today(), 10)
    citizen = by_wechat(town).papers()
    assert citizen.register().status_code == 200
    return citizen


def at(day: date, hour: int) -> None:
    clock.move_to(clock.at_local(day, hour))


def events(bill: payments.BillView) -> list[Any]:
    """What the bill told the town, in order."""

    def read(u: Unit) -> list[Any]:
        rows = u.session.query(OutboxRow).filter_by(stream=bill.id).order_by(OutboxRow.id)
        return [Event.kinds[row.kind].from_payload(row.payload) for row in rows]

    return run_unit(read)


def carried(bill: payments.BillView) -> None:
    """Let the messages' ears hear all that the bill told; what was told is told once."""
    for event in events(bill):
        if ear := EARS.get(type(event).__name__):
            run_unit(lambda u, ear=ear, event=event: ear(u, event))  # type: ignore[misc]


def told(bill: payments.BillView) -> list[tuple[str, str, str]]:
    """Kind, channel and state of all that was said about a bill."""
    carried(bill)
    seen = run_unit(lambda u: notifications.messages_about(u, bill.id))
    return sorted((one.kind, one.channel, one.state) for one in seen)


def kinds(bill: payments.BillView) -> set[str]:
    return {kind for kind, _, _ in told(bill)}


def reminded(day: date, hour: int = 10) -> int:
    at(day, hour)
    return tasks.remind_of_bills()


def texts(citizen: Citizen) -> list[str]:
    while sending.send_batch():
        pass
    found = citizen.corner.control(f"/sms/inbox?phone={citizen.phone}", method="GET")["messages"]
    return [one["text"] for one in found]


def test_whom_a_bill_names_is_told_at_once(bill, citizen):
    issued = bill(payer_id_no=citizen.id_no)
    assert {(kind, channel) for kind, channel, _ in told(issued)} == {
        ("bill_issued", "inbox"), ("bill_issued", "sms_aliyun"),
    }  # fmt: skip
    [text] = [one for one in texts(citizen) if "缴款通知" in one]
    assert issued.notice_no[-4:] in text
    assert "100.00" in text
    assert not [word for word in (issued.notice_no, issued.item, citizen.name, citizen.id_no) if word in text]


def test_who_is_not_known_is_not_told(bill, town):
    stranger, nameless = bill(payer_id_no=fresh_id_no()), bill()
    assert (told(stranger), told(nameless)) == ([], [])


def test_a_number_nobody_confirmed_is_not_told(bill, town):
    visitor = by_wechat(town).papers()
    assert told(bill(payer_id_no=visitor.id_no)) == []


def test_three_days_before_the_last_day_one_is_reminded(bill, citizen):
    today = clock.today()
    issued = bill(payer_id_no=citizen.id_no, due_on=today + timedelta(days=9), **FEE)
    reminded(today + timedelta(days=5))
    assert "bill_due" not in kinds(issued)
    assert reminded(today + timedelta(days=6)) >= 1
    assert "bill_due" in kinds(issued)


def test_a_reminder_is_given_once(bill, citizen):
    today = clock.today()
    issued = bill(payer_id_no=citizen.id_no, due_on=today + timedelta(days=3), **FEE)
    for ahead in (1, 1, 2, 3):
        reminded(today + timedelta(days=ahead))
    assert [type(one).__name__ for one in events(issued)].count("BillReminderDue") == 1


def test_nobody_is_reminded_by_night(bill, citizen):
    today = clock.today()
    issued = bill(payer_id_no=citizen.id_no, due_on=today + timedelta(days=3), **FEE)
    assert (reminded(today + timedelta(days=1), 3), reminded(today + timedelta(days=1), 22)) == (0, 0)
    assert "bill_due" not in kinds(issued)


def test_what_came_today_is_not_reminded_today(bill, citizen):
    today = clock.today()
    issued = bill(payer_id_no=citizen.id_no, due_on=today + timedelta(days=1), **FEE)
    reminded(today, 11)
    assert kinds(issued) == {"bill_issued"}


def test_the_day_before_the_penalty_has_its_own_words(bill, citizen):
    today = clock.today()
    issued = bill(payer_id_no=citizen.id_no, issued_on=today)
    reminded(today + timedelta(days=14))
    assert "bill_penalty" not in kinds(issued)
    reminded(today + timedelta(days=15))
    assert "bill_penalty" in kinds(issued)
    assert [one for one in texts(citizen) if "今天是最后一天" in one]
    at(today + timedelta(days=16), 10)
    assert run_unit(lambda u: payments.bill_of(u, issued.id)).penalty_fen == 300


def test_a_fee_has_no_day_of_penalty(bill, citizen):
    today = clock.today()
    issued = bill(payer_id_no=citizen.id_no, due_on=today + timedelta(days=15), **FEE)
    reminded(today + timedelta(days=15))
    assert kinds(issued) == {"bill_issued", "bill_due"}


def test_what_is_paid_or_withdrawn_is_not_reminded(bill, citizen):
    today = clock.today()
    due = {"payer_id_no": citizen.id_no, "due_on": today + timedelta(days=3)} | FEE
    paid, gone = bill(**due), bill(**due)
    pay(paid, citizen)
    withdraw(gone)
    reminded(today + timedelta(days=1))
    assert ("bill_due" in kinds(paid), "bill_due" in kinds(gone)) == (False, False)


def test_what_waits_for_the_morning_dies_with_the_debt(bill, citizen):
    at(clock.today(), 23)
    paid, gone = bill(payer_id_no=citizen.id_no), bill(payer_id_no=citizen.id_no)
    assert [state for _, channel, state in [*told(paid), *told(gone)] if channel == "sms_aliyun"] == [
        "queued", "queued",
    ]  # fmt: skip
    pay(paid, citizen)
    withdraw(gone)
    states = [state for _, channel, state in [*told(paid), *told(gone)] if channel == "sms_aliyun"]
    assert states == ["expired", "expired"]


def test_another_last_day_is_reminded_anew(bill, citizen):
    today = clock.today()
    issued = bill(payer_id_no=citizen.id_no, due_on=today + timedelta(days=3), **FEE)
    reminded(today + timedelta(days=1))
    assert "bill_due" in kinds(issued)
    later = payments.BillCorrection(10_000, 0, 500, today + timedelta(days=9))
    run_unit(lambda u: payments.correct_bill(u, issued.id, "BZ-TEST", later, "期限有误", CLERK))
    reminded(today + timedelta(days=2))
    reminded(today + timedelta(days=7))
    assert [type(one).__name__ for one in events(issued)].count("BillReminderDue") == 2
    assert len([1 for kind, channel, _ in told(issued) if (kind, channel) == ("bill_due", "inbox")]) == 2


def test_another_payer_is_told_and_reminded_anew(bill, citizen, town):
    today, other = clock.today(), by_wechat(town).papers()
    assert other.register().status_code == 200
    issued = bill(payer_id_no=citizen.id_no, due_on=today + timedelta(days=3), **FEE)
    reminded(today + timedelta(days=1))
    right = payments.BillCorrection(10_000, 0, 500, issued.due_on, payer_id_no=other.id_no)
    run_unit(lambda u: payments.correct_bill(u, issued.id, "BZ-TEST", right, "当事人有误", CLERK))
    reminded(today + timedelta(days=2))
    assert [
        (type(one).__name__, one.person_id) for one in events(issued) if hasattr(one, "person_id")
    ] == [
        ("BillIssued", citizen.id), ("BillReminderDue", citizen.id),
        ("BillIssued", other.id), ("BillReminderDue", other.id),
    ]  # fmt: skip


def pay(bill: payments.BillView, citizen: Citizen) -> None:
    by = CLERK
    opened = run_unit(lambda u: payments.open_bill_payment(u, bill.id, citizen.id, "wechat_pay", by))
    assert hear(succeeded(opened))


def withdraw(bill: payments.BillView) -> None:
    run_unit(lambda u: payments.withdraw_bill(u, bill.id, FINE_OF_100_YUAN.department_id, "重复开具", CLERK))
