"""Reminders all the way to the phone: in time, once, and never of an appointment that is over or no more."""

import itertools
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import notifications
import wsgi
from backend import booking, catalogue
from backend.booking import tasks as booking_tasks
from backend.contracts import Event, MessageDead, PersonRegistered
from backend.kernel import clock
from backend.people import register
from backend.people.machine import PERSON
from backend.runtime import outbound
from backend.runtime.settings import settings
from backend.store.outbox import OutboxRow
from backend.store.unit import SYSTEM, Unit, run_unit, unit
from notifications import outcomes, reactions, tasks, withdrawing
from notifications.models import Message
from tests.booking.makers import at_desk, book, cancel, citizen, make_slot
from tests.cases.makers import id_number
from tests.notifications.makers import Resident, fares, send, tell_of

DAY = clock.today() + timedelta(days=2)
EVENING, START = clock.at_local(DAY - timedelta(days=1), 18), clock.at_local(DAY, 14)
_seen: dict[str, int] = {}
_seconds = itertools.count()


@pytest.fixture(scope="module")
def _offices(database: str) -> None:
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    sites = json.loads(Path("data/sites.json").read_text("utf-8"))
    run_unit(lambda u: booking.load_sites(u, sites))


@pytest.fixture
def guest(person: Resident, _offices: None) -> Iterator[Resident]:
    """Somebody who may book."""

    def verify(u: Unit) -> None:
        row = register.person_row(u, person.id)
        register.write_identity(row, "测试甲", id_number(), "authority")
        u.step(PERSON, row, "identity_verified", by=SYSTEM)
        u.record(PersonRegistered(row.id, row.id))

    run_unit(verify)
    yield person
    # What is due on a later day must not catch the weather of another test.
    clock.move_to(START + timedelta(days=30))
    while tasks.put_away():
        pass
    with unit() as u:
        assert booking.check_books(u) == []


def news_of(matter: str) -> list[Event]:
    """What the town has recorded of a matter since we last asked."""
    with unit() as u:
        rows = u.session.query(OutboxRow).filter_by(stream=matter).filter(OutboxRow.id > _seen.get(matter, 0))
        found = rows.order_by(OutboxRow.id).all()
        _seen[matter] = max((row.id for row in found), default=_seen.get(matter, 0))
        return [Event.kinds[row.kind].from_payload(row.payload) for row in found]


def spread(matter: str, *, last_first: bool = False) -> None:
    """Let every ear of the town hear it: each ear hears all in order, one ear after the other."""
    heard = news_of(matter)
    ears = list(dict.fromkeys(ear for event in heard for ear in wsgi.SUBSCRIPTIONS.get(type(event), ())))
    for ear in reversed(ears) if last_first else ears:
        for event in heard:
            if ear in wsgi.SUBSCRIPTIONS.get(type(event), ()):
                run_unit(lambda u, e=ear, n=event: e(u, n))  # type: ignore[misc]


def an_appointment(guest: Resident, starts: datetime = START) -> booking.BookingView:
    """Confirmed, and its confirmation told."""
    booked = book(make_slot(starts=starts + timedelta(seconds=next(_seconds))).id, guest.id)
    spread(booked.id)
    send()
    return booked


def remind(booked: booking.BookingView, at: datetime) -> None:
    clock.move_to(at)
    booking_tasks.remind()
    spread(booked.id)


def move(booked: booking.BookingView, starts: datetime) -> None:
    who, wish = citizen(booked.person_id), booking.Wish(make_slot(starts=starts).id, booked.person_id)
    run_unit(lambda u: booking.hold_move(u, booked.id, wish, who))
    run_unit(lambda u: booking.confirm_move(u, booked.id, booked.person_id, who))


def reminded(guest: Resident) -> list[str]:
    """Reminders on the phone."""
    return [text for text in guest.texts() if "提醒您" in text or "快到时间了" in text]


def reminders(booked: booking.BookingView) -> dict[tuple[str, str], str]:
    """State of each reminder that was queued, by kind and channel."""
    with unit() as u:
        rows = u.session.query(Message).filter_by(subject=booked.id).filter(Message.kind.like("%reminder%"))
        return {(row.kind.removeprefix("booking_reminder_"), row.channel): row.state for row in rows}


def alarms(booked: booking.BookingView) -> int:
    with unit() as u:
        ours = [row.id for row in u.session.query(Message).filter_by(subject=booked.id)]
        dead = u.session.query(OutboxRow).filter_by(kind=MessageDead.__name__)
        return dead.filter(OutboxRow.stream.in_(ours)).count()


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The platform of short messages is out of reach until `undo` is called."""

    class Silence:
        def begin(self) -> None:
            monkeypatch.setenv("SMS_ALIYUN_BASE_URL", "http://127.0.0.1:9/sms")
            settings.cache_clear()

        def undo(self) -> None:
            monkeypatch.undo()
            settings.cache_clear()
            outbound.reset_breakers()

    silence = Silence()
    yield silence
    silence.undo()


def test_two_reminders_come_to_the_phone(guest: Resident) -> None:
    booked = an_appointment(guest)
    for at in (EVENING + timedelta(minutes=1), START - timedelta(minutes=119)):
        remind(booked, at)
        send()
    day, hours = reminded(guest)
    assert f"{DAY.month}月{DAY.day}日14:00" in day
    assert "改期或取消" in day
    assert booked.number in hours
    assert len([line for line in guest.inbox() if line["kind"].startswith("booking_reminder")]) == 2


@pytest.mark.parametrize("back", [START - timedelta(minutes=29), START + timedelta(hours=1)])
def test_a_reminder_never_arrives_after_an_outage_too_long(
    guest: Resident, silence: Any, back: datetime
) -> None:
    booked = an_appointment(guest)
    silence.begin()
    for at in (EVENING + timedelta(minutes=1), START - timedelta(minutes=119)):
        remind(booked, at)
        send()
    states = reminders(booked)
    assert (states["day", "sms_aliyun"], states["hours", "sms_aliyun"]) == ("failed", "queued")
    silence.undo()
    clock.move_to(back)
    tasks.put_away()
    send()
    assert reminded(guest) == []


def test_a_reminder_arrives_when_the_platform_is_back_in_time(guest: Resident, silence: Any) -> None:
    booked = an_appointment(guest)
    silence.begin()
    remind(booked, EVENING + timedelta(minutes=1))
    send()
    silence.undo()
    clock.move_to(clock.at_local(DAY, 9))
    send()
    assert len(reminded(guest)) == 1


def test_a_leap_of_the_clock_between_telling_and_sending_is_noticed(guest: Resident) -> None:
    booked = an_appointment(guest)
    remind(booked, START - timedelta(minutes=119))
    clock.move_to(START - timedelta(minutes=29))
    send()
    assert reminded(guest) == []


def test_a_reminder_heard_after_its_time_is_not_even_in_the_inbox(guest: Resident) -> None:
    booked = an_appointment(guest)
    clock.move_to(START - timedelta(minutes=119))
    booking_tasks.remind()
    clock.move_to(START - timedelta(minutes=29))
    spread(booked.id)
    assert reminders(booked) == {}


@pytest.mark.parametrize("last_first", [False, True])
def test_a_cancelled_appointment_takes_its_queued_reminder_along(guest: Resident, last_first: bool) -> None:
    booked = an_appointment(guest)
    remind(booked, EVENING + timedelta(minutes=1))
    assert reminders(booked)["day", "sms_aliyun"] == "queued"
    cancel(booked)
    spread(booked.id, last_first=last_first)
    assert reminders(booked)["day", "sms_aliyun"] == "expired"
    send()
    assert reminded(guest) == []
    assert any("已取消" in text for text in guest.texts())
    assert alarms(booked) == 0


def test_who_cancels_before_the_town_hears_is_not_reminded(guest: Resident) -> None:
    booked = an_appointment(guest)
    clock.move_to(EVENING + timedelta(minutes=1))
    booking_tasks.remind()
    cancel(booked)
    spread(booked.id)
    assert reminders(booked) == {}


def test_who_has_checked_in_is_not_reminded(guest: Resident, silence: Any) -> None:
    booked = an_appointment(guest)
    silence.begin()
    remind(booked, START - timedelta(minutes=119))
    send()
    clock.move_to(START - timedelta(minutes=59))
    with unit() as u:
        code = booking.booking_of(u, booked.id, guest.id).check_in_code or ""
    assert at_desk(booked, code) is not None
    spread(booked.id)
    silence.undo()
    send()
    assert reminded(guest) == []
    assert alarms(booked) == 0


@pytest.mark.parametrize("last_first", [False, True])
def test_a_moved_appointment_is_reminded_of_once_at_its_new_time(
    guest: Resident, last_first: bool, silence: Any
) -> None:
    booked = an_appointment(guest)
    silence.begin()
    remind(booked, EVENING + timedelta(minutes=1))
    send()
    move(booked, START + timedelta(days=1, hours=1))
    spread(booked.id, last_first=last_first)
    silence.undo()
    clock.advance(timedelta(hours=1))
    send()
    assert reminded(guest) == []
    assert len([text for text in guest.texts() if "已改期" in text]) == 1
    remind(booked, EVENING + timedelta(days=1, minutes=1))
    send()
    (text,) = reminded(guest)
    assert "15:00" in text


@pytest.mark.parametrize("last_first", [False, True])
def test_late_news_of_a_move_spares_the_reminder_of_the_new_time(guest: Resident, last_first: bool) -> None:
    booked = an_appointment(guest, START + timedelta(days=2))
    move(booked, START)
    late = news_of(booked.id)
    run_unit(lambda u: booking.on_booking_changed(u, late[0]))  # type: ignore[arg-type]
    clock.move_to(EVENING + timedelta(minutes=1))
    booking_tasks.remind()
    due = news_of(booked.id)
    ears = [lambda u: reactions.on_booking_reminder_due(u, due[0]),  # type: ignore[arg-type]
            lambda u: reactions.on_appointment_changed(u, late[0])]  # type: ignore[arg-type]  # fmt: skip
    for ear in reversed(ears) if last_first else ears:
        run_unit(ear)
    assert reminders(booked)["day", "sms_aliyun"] == "queued"


def test_what_was_taken_back_is_not_repeated_after_silence(guest: Resident, town: Any) -> None:
    booked = an_appointment(guest)
    remind(booked, EVENING + timedelta(minutes=1))
    town.control("/faults", {"provider": "sms", "verb": "send", "kind": "5xx"})
    send()
    assert reminders(booked)["day", "sms_aliyun"] == "unknown"
    cancel(booked)
    spread(booked.id)
    for seconds in (16, 60):
        clock.advance(timedelta(seconds=seconds))
        tasks.ask()
    send()
    assert reminders(booked)["day", "sms_aliyun"] == "expired"
    assert reminded(guest) == []
    assert alarms(booked) == 0


def test_a_card_taken_back_gives_its_grant_back(guest: Resident) -> None:
    booked = an_appointment(guest)
    guest.accept("booking_reminder_day")
    remind(booked, EVENING + timedelta(minutes=1))
    assert reminders(booked)["day", "wechat_subscribe"] == "queued"
    cancel(booked)
    spread(booked.id)
    assert reminders(booked)["day", "wechat_subscribe"] == "expired"
    assert "wechat_subscribe" in fares(tell_of(guest, "booking_moved"))


def test_telling_and_taking_back_at_once_leave_nothing_queued(guest: Resident) -> None:
    """Whoever takes back waits for whoever tells, and then finds it."""
    booked = an_appointment(guest)
    clock.move_to(EVENING + timedelta(minutes=1))
    booking_tasks.remind()
    (due,) = news_of(booked.id)
    holds, goes_on = threading.Event(), threading.Event()

    def tell(u: Unit) -> None:
        reactions.on_booking_reminder_due(u, due)  # type: ignore[arg-type]
        holds.set()
        goes_on.wait(10)

    taken: list[int] = []
    teller = threading.Thread(target=run_unit, args=(tell,))
    taker = threading.Thread(
        target=lambda: taken.append(
            run_unit(lambda u: withdrawing.withdraw_overtaken(u, booked.id, booked.id))
        )
    )
    teller.start()
    assert holds.wait(10)
    cancel(booked)
    taker.start()
    taker.join(0.3)
    assert taker.is_alive()
    goes_on.set()
    teller.join()
    taker.join()
    assert taken == [1]
    assert reminders(booked)["day", "sms_aliyun"] == "expired"


def test_staff_cannot_send_a_reminder_of_what_has_changed(guest: Resident) -> None:
    booked = an_appointment(guest)
    remind(booked, EVENING + timedelta(minutes=1))
    cancel(booked)
    spread(booked.id)
    with unit() as u:
        found = u.session.query(Message).filter_by(subject=booked.id, channel="sms_aliyun", state="expired")
        withdrawn = found.one().id
    with pytest.raises(notifications.NothingToResend):
        run_unit(lambda u: notifications.resend(u, withdrawn, SYSTEM))


def test_what_staff_send_again_still_dies_with_its_event(guest: Resident) -> None:
    booked = an_appointment(guest)
    remind(booked, EVENING + timedelta(minutes=1))
    with unit() as u:
        ours = u.session.query(Message).filter_by(subject=booked.id, kind="booking_reminder_day")
        row = ours.filter_by(channel="sms_aliyun").one()
        message_id, end = row.id, row.not_after

    def bury(u: Unit) -> None:
        found = u.get(Message, message_id, lock=True)
        assert found is not None
        outcomes.fail(u, found, "测试")

    run_unit(bury)
    run_unit(lambda u: notifications.resend(u, message_id, SYSTEM))
    with unit() as u:
        again = u.session.get_one(Message, message_id)
        assert (again.state, again.not_after) == ("queued", end)
    clock.move_to(START)
    send()
    with pytest.raises(notifications.NothingToResend):
        run_unit(lambda u: notifications.resend(u, message_id, SYSTEM))
