"""When a message goes out, when it is too late for it, and what becomes of codes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

import notifications
from backend.kernel import clock
from backend.store.unit import Unit, run_unit
from notifications import tasks
from notifications.models import Message
from tests.notifications.makers import (
    Resident,
    ask_for_correction,
    fares,
    fresh_phone,
    send,
    tell_of,
)


def test_a_message_never_goes_out_after_its_event(person: Resident) -> None:
    about = tell_of(person, "booking_confirmed", not_after=clock.now() + timedelta(minutes=30))
    clock.advance(timedelta(minutes=31))
    send()
    assert not person.texts()
    assert fares(about)["sms_aliyun"] == "failed"
    other = tell_of(person, "booking_confirmed", not_after=clock.now() + timedelta(minutes=30))
    clock.advance(timedelta(minutes=31))
    tasks.put_away()
    assert fares(other)["sms_aliyun"] == "failed"


def test_what_can_wait_is_not_sent_at_night(person: Resident) -> None:
    clock.move_to(clock.at_local(clock.today(), 23))
    about = ask_for_correction(person)
    send()
    assert not person.texts()
    assert fares(about)["sms_aliyun"] == "queued"
    clock.advance(timedelta(hours=9, minutes=1))
    send()
    assert len(person.texts()) == 1


def test_a_code_goes_at_night_and_is_forgotten(town: Any) -> None:
    clock.move_to(clock.at_local(clock.today(), 23))
    phone = fresh_phone()
    run_unit(lambda u: notifications.queue_code(u, phone, "482913", "login"))
    send()
    (sent,) = town.control(f"/sms/inbox?phone={phone}", method="GET")["messages"]
    assert "验证码482913" in sent["text"]
    assert run_unit(_contents_of_codes) == 0


def _contents_of_codes(u: Any) -> int:
    return int(
        u.session.query(Message).filter(Message.kind == "code_login", Message.content.is_not(None)).count()
    )


def test_a_code_is_not_sent_when_it_no_longer_helps(town: Any) -> None:
    phone = fresh_phone()
    run_unit(lambda u: notifications.queue_code(u, phone, "482913", "login"))
    clock.advance(timedelta(minutes=6))
    send()
    assert town.control(f"/sms/inbox?phone={phone}", method="GET")["messages"] == []


def test_a_code_is_nowhere_in_the_clear(town: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    phone = fresh_phone()
    run_unit(lambda u: notifications.queue_code(u, phone, "59374159374159", "login"))
    kept = run_unit(lambda u: _everything_kept_of(u, "code_login"))
    send()
    assert phone not in caplog.text + kept
    assert "59374159374159" not in caplog.text + kept


def _everything_kept_of(u: Unit, kind: str) -> str:
    rows = u.session.execute(
        text("SELECT m::text FROM notifications_message m WHERE kind = :kind"), {"kind": kind}
    )
    lines = u.session.execute(text("SELECT j::text FROM store_journal j WHERE matter LIKE 'ms-%'"))
    return "".join(str(value) for value in [*rows.scalars(), *lines.scalars()])
