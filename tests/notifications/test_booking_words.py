"""What people are told of appointments, waits, draws and blocks; and of nothing that has passed meanwhile."""

from collections.abc import Callable
from datetime import timedelta

import pytest

import notifications
from backend import contracts as c
from backend.kernel import clock, ids
from backend.runtime import facts
from backend.store.outbox import Ear
from backend.store.unit import run_unit, unit
from notifications import wording
from notifications.channels import channel
from notifications.kinds import KINDS
from notifications.models import Message
from tests.notifications.makers import Resident, message

SOON = clock.now() + timedelta(days=1)
APPOINTMENT = {
    "place": "市政务服务中心不动产登记大厅",
    "when": "11月25日09:30",
    "item": "驾驶证考试（科目一）",
    "number": "Y7K3M9Q2X4H5",
    "people": "3",
    "moves": "1",
}
CLOSED = APPOINTMENT | {
    "closed": "2026-11-20T08:00:00+00:00",
    "closed_why": "停电检修",
    "closed_brief": "停电检修",
}
RESTORED = APPOINTMENT | {"restored": "2026-11-20T08:00:00+00:00"}
OVER = APPOINTMENT | {"closed_over": "2026-11-20T08:00:00+00:00", "closed_why": "停电检修", "not_after": ""}
CALLED_OFF = APPOINTMENT | {"cancelled_why": "证明不符合急办条件", "cancelled_brief": "证明不符合急办条件"}
ELSEWHERE = CLOSED | {"new_when": "11月26日10:00", "new_place": "城南分厅", "held_until": "11月24日18:00"}
OFFER = APPOINTMENT | {"held_until": "11月24日10:30"}
WAIT = {"item": "驾驶证考试（科目一）", "days": "11月25日至12月5日"}
BLOCK = {
    "item": "不动产登记", "until": "2027年2月25日", "when": "11月25日09:30", "why": "没有证明材料",
}  # fmt: skip
TOLD = {
    "booking_confirmed": (APPOINTMENT, ("11月25日09:30", "Y7K3M9Q2X4H5", "3人")),
    "booking_cancelled": (APPOINTMENT, ("已取消",)),
    "booking_called_off": (CALLED_OFF, ("11月25日09:30", "已取消", "证明不符合急办条件", "不影响")),
    "booking_moved": (APPOINTMENT, ("改到11月25日09:30", "原来的时间不用来")),
    "booking_displaced": (ELSEWHERE, ("不要前往", "停电检修", "11月26日10:00到城南分厅", "11月24日18:00前")),
    "booking_displaced_none": (CLOSED, ("不要前往", "停电检修", "另选时间")),
    "booking_restored": (RESTORED, ("11月25日09:30", "恢复开放", "按原预约前来", "Y7K3M9Q2X4H5")),
    "booking_closed_over": (OVER, ("11月25日09:30", "停办", "停电检修", "重新预约")),
    "booking_reminder_day": (APPOINTMENT, ("11月25日09:30", "改期或取消", "Y7K3M9Q2X4H5")),
    "booking_reminder_hours": (APPOINTMENT, ("11月25日09:30", "签到", "Y7K3M9Q2X4H5")),
    "place_offered": (OFFER, ("11月25日09:30", "共3人", "保留到11月24日10:30", "确认预约", "下一位")),
    "offer_lapsed": (APPOINTMENT | {"offers_left": "2"}, ("11月25日09:30", "下一位", "仍在候补", "2次")),
    "wait_ended": (WAIT, ("11月25日至12月5日", "现场取号")),
    "draw_won": (APPOINTMENT, ("中签", "11月25日09:30", "Y7K3M9Q2X4H5")),
    "draw_lost": (WAIT, ("没有中签", "候补")),
    "draw_passed_over": (WAIT | {"why": "您已经有一个预约"}, ("没有安排", "原因：您已经有一个预约。")),
    "draw_delayed": (WAIT | {"delayed": "2026-11-23T03:30:00+00:00"}, ("摇号推迟", "仍然有效")),
    "draw_called_off": (WAIT | {"called_off": "yes"}, ("放号已取消",)),
    "booking_missed": (APPOINTMENT | {"missed": "yes"}, ("11月25日09:30", "没有按时到场", "提前取消")),
    "booking_blocked": (BLOCK, ("没有按时到场", "2027年2月25日", "申诉")),
    "block_lifted": (BLOCK, ("申诉成立", "恢复")),
    "block_upheld": (BLOCK, ("没有成立", "没有证明材料", "2027年2月25日")),
}
_known: dict[str, dict[str, str]] = {}
facts.register("tsb", lambda _u, public_id: _known.get(public_id, {}))


def thing(**words: str) -> str:
    """Something that its house explains in these words."""
    public_id = ids.new_id("tsb")
    _known[public_id] = {"not_after": SOON.isoformat(), **words}
    return public_id


def hear(event: c.Event) -> None:
    ears: tuple[Ear, ...] = notifications.SUBSCRIPTIONS[type(event)]
    for ear in ears:
        run_unit(lambda u, e=ear: e(u, event))  # type: ignore[misc]


def states_of(about: str, channel_name: str) -> list[str]:
    """States of the messages about a thing, in the order in which they were written."""
    with unit() as u:
        rows = u.session.query(Message).filter_by(about=about, channel=channel_name)
        return [row.state for row in rows.order_by(Message.queued_at, Message.id)]


EVENTS: dict[str, Callable[[str, str], c.Event]] = {
    "booking_confirmed": lambda b, p: c.BookingConfirmed(b, p, b),
    "booking_cancelled": lambda b, p: c.BookingCancelled(b, p, b),
    "booking_called_off": lambda b, p: c.BookingCancelled(b, p, b),
    "booking_moved": lambda b, p: c.BookingMoved(b, p, b),
    "booking_displaced": lambda b, p: c.BookingDisplaced(b, p, b, found=True),
    "booking_displaced_none": lambda b, p: c.BookingDisplaced(b, p, b, found=False),
    "booking_restored": lambda b, p: c.BookingRestored(b, p, b),
    "booking_closed_over": lambda b, p: c.BookingCancelled(b, p, b),
    "booking_reminder_day": lambda b, p: c.BookingReminderDue(b, p, b, "day_before"),
    "booking_reminder_hours": lambda b, p: c.BookingReminderDue(b, p, b, "two_hours"),
    "place_offered": lambda b, p: c.PlaceOffered(ids.new_id("tsb"), p, b),
    "offer_lapsed": lambda b, p: c.BookingLapsed(b, p, b),
    "wait_ended": c.WaitEnded,
    "draw_won": lambda b, p: c.EntryDrawn(ids.new_id("tsb"), p, won=True, booking_id=b),
    "draw_lost": lambda e, p: c.EntryDrawn(e, p, won=False),
    "draw_passed_over": lambda e, p: c.EntryDrawn(e, p, won=False),
    "draw_delayed": c.DrawDelayed,
    "draw_called_off": lambda e, p: c.EntryDrawn(e, p, won=False),
    "booking_missed": lambda b, p: c.BookingMissed(b, p, b),
    "booking_blocked": c.BookingBlocked,
    "block_lifted": lambda b, p: c.BlockDecided(b, p, lifted=True),
    "block_upheld": lambda b, p: c.BlockDecided(b, p, lifted=False),
}
REMINDED = {"day_before_not_after": SOON.isoformat(), "two_hours_not_after": SOON.isoformat()}


@pytest.mark.parametrize("kind", TOLD)
def test_each_news_is_told_in_its_own_words(person: Resident, kind: str) -> None:
    words, expected = TOLD[kind]
    hear(EVENTS[kind](thing(**words, **REMINDED), person.id))
    (line,) = person.inbox()
    assert line["kind"] == kind
    assert not [part for part in expected if part not in line["text"]]
    assert not [sign for sign in ("$", "约定", "请在掌办查看") if sign in line["text"] + line["link"]]


@pytest.mark.parametrize("kind", TOLD)
def test_news_heard_again_is_told_once(person: Resident, kind: str) -> None:
    event = EVENTS[kind](thing(**TOLD[kind][0], **REMINDED), person.id)
    hear(event)
    hear(event)
    assert len(person.inbox()) == 1


@pytest.mark.parametrize("kind", TOLD)
def test_every_card_fits_with_the_longest_words(kind: str) -> None:
    composed = channel(wording.WECHAT).compose(
        kind, TOLD[kind][0] | {"about": "a", "subject": "b", "proof": "C"}
    )
    cut = [name for name, value in composed.parameters.items() if "…" in value or value in ("-", "请查看")]
    assert not cut


@pytest.mark.parametrize("kind", [kind for kind in TOLD if KINDS[kind].must_know])
def test_what_must_be_known_is_texted_without_a_card(person: Resident, kind: str) -> None:
    subject = thing(**TOLD[kind][0], **REMINDED)
    event = EVENTS[kind](subject, person.id)
    hear(event)
    assert message(event.matter, wording.SMS).state == "queued"


def test_an_appointment_of_a_case_shows_its_own_number(person: Resident) -> None:
    case = thing(number="BZ7K3M9Q2X4H5A", item="不动产登记")
    hear(c.BookingConfirmed(case, person.id, thing(**APPOINTMENT)))
    text = person.inbox()[0]["text"]
    assert "Y7K3M9Q2X4H5" in text
    assert "BZ7K3M9Q2X4H5A" not in text


def test_what_was_won_is_told_once(person: Resident) -> None:
    hear(c.BookingConfirmed(booked := thing(**APPOINTMENT, origin="draw"), person.id, booked))
    assert person.inbox() == []


def test_a_hold_given_back_is_no_news(person: Resident) -> None:
    hear(c.BookingCancelled(held := thing(**APPOINTMENT, never_sure="cancelled"), person.id, held))
    assert person.inbox() == []


def test_an_appointment_ended_after_its_time_is_no_news(person: Resident) -> None:
    over = thing(**APPOINTMENT | {"not_after": clock.now().isoformat()})
    hear(c.BookingCancelled(over, person.id, over))
    assert person.inbox() == []


def test_who_came_and_left_is_not_told_that_nobody_came(person: Resident) -> None:
    hear(c.BookingMissed(booked := thing(**APPOINTMENT), person.id, booked))
    assert person.inbox() == []


def test_each_place_held_for_a_closed_time_is_told(person: Resident) -> None:
    booked = thing(**ELSEWHERE)
    for until in (SOON, SOON + timedelta(hours=1)):
        _known[booked]["move_not_after"] = until.isoformat()
        hear(c.BookingDisplaced(booked, person.id, booked, found=True))
    assert len(person.inbox()) == 2


def test_every_move_is_told(person: Resident) -> None:
    booked = thing(**APPOINTMENT)
    for moves in ("1", "2"):
        _known[booked]["moves"] = moves
        hear(c.BookingMoved(booked, person.id, booked))
    assert len(person.inbox()) == 2


def test_who_has_moved_meanwhile_needs_no_telling_of_a_closed_day(person: Resident) -> None:
    hear(c.BookingDisplaced(booked := thing(**APPOINTMENT), person.id, booked, found=True))
    assert person.inbox() == []


def test_a_place_held_too_briefly_is_not_promised(person: Resident) -> None:
    hear(c.BookingDisplaced(booked := thing(**CLOSED), person.id, booked, found=True))
    assert [line["kind"] for line in person.inbox()] == ["booking_displaced_none"]


def test_an_offer_that_has_run_out_is_not_made(person: Resident) -> None:
    hear(c.PlaceOffered(ids.new_id("tsb"), person.id, thing(**APPOINTMENT)))
    assert person.inbox() == []


def test_what_was_said_of_a_closing_follows_the_door(person: Resident) -> None:
    """Closed, opened and closed again: each is told, and what is not yet out and no longer so never goes."""
    booked = thing(**CLOSED)
    changes: list[dict[str, str]] = [{"closed": "A"}, {"restored": "A"}, {"closed": "B"}, {"restored": "B"}]
    for change in changes:
        _known[booked] = {"not_after": SOON.isoformat(), **APPOINTMENT, **change}
        is_closed = "closed" in change
        hear((c.BookingDisplaced(booked, person.id, booked, found=False)) if is_closed
             else c.BookingRestored(booked, person.id, booked))  # fmt: skip
    assert len(person.inbox()) == 4
    gone = [state in ("withdrawn", "expired") for state in states_of(booked, wording.SMS)]
    assert gone == [True, True, True, False]


def test_who_has_left_an_opened_time_is_not_called_there(person: Resident) -> None:
    hear(c.BookingRestored(booked := thing(**APPOINTMENT), person.id, booked))
    assert person.inbox() == []


def test_the_reason_of_a_closing_stands_in_the_text() -> None:
    for kind, words in (("booking_displaced", ELSEWHERE), ("booking_displaced_none", CLOSED)):
        composed = channel(wording.SMS).compose(kind, words | {"about": "a", "subject": "b", "proof": "C"})
        assert composed.parameters["closed_brief"] == "停电检修"
    assert (
        channel(wording.SMS).compose("booking_displaced_none", APPOINTMENT).parameters["closed_brief"]
        == "临时安排"
    )


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_reminder_heard_too_late_is_not_told(person: Resident, minutes: int) -> None:
    end = (clock.now() + timedelta(minutes=minutes)).isoformat()
    booked = thing(**APPOINTMENT, two_hours_not_after=end)
    hear(c.BookingReminderDue(booked, person.id, booked, "two_hours"))
    assert person.inbox() == []


def test_a_reminder_that_its_house_does_not_name_is_not_told(person: Resident) -> None:
    booked = thing(**APPOINTMENT, day_before_not_after=SOON.isoformat())
    hear(c.BookingReminderDue(booked, person.id, booked, "two_hours"))
    assert person.inbox() == []


def test_a_reminder_lives_as_long_as_its_house_says(person: Resident) -> None:
    end = clock.now().replace(microsecond=0) + timedelta(minutes=40)
    booked = thing(**APPOINTMENT, two_hours_not_after=end.isoformat())
    hear(c.BookingReminderDue(booked, person.id, booked, "two_hours"))
    assert message(booked, wording.SMS).not_after == end


def test_words_name_no_machinery() -> None:
    texts = [wording.inbox(kind).text for kind in TOLD]
    texts += [wording.sms(kind).text for kind in TOLD if KINDS[kind].must_know]
    machinery = ("系统", "号源", "爽约", "slot", "状态")
    assert not [word for word in machinery for text in texts if word in text]
