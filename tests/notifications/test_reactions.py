"""What people are told when something happens in other houses."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import notifications
from backend import contracts as c
from backend.kernel import clock, ids
from backend.runtime import facts
from backend.store.outbox import Ear
from backend.store.unit import run_unit
from tests.notifications.makers import FACTS, Resident, matter, message, resident

CASES: list[tuple[Callable[[str, str], c.Event], str]] = [
    (lambda m, p: c.CorrectionRequested(m, p, ids.new_id("co")), "correction_requested"),
    (c.CorrectionLapsed, "correction_lapsed"),
    (c.PreReviewPassed, "pre_review_passed"),
    (c.CaseAccepted, "case_accepted"),
    (c.CaseNotAccepted, "case_not_accepted"),
    (lambda m, p: c.FeeDemanded(m, p, 8000), "fee_demanded"),
    (lambda m, p: c.CaseDecided(m, p, granted=False), "case_decided"),
    (lambda m, p: c.CaseFinished(m, p, "window"), "case_finished_window"),
    (lambda m, p: c.CaseFinished(m, p, "courier", "ad-1"), "case_finished_sent"),
    (lambda m, p: c.CaseFinished(m, p, "e_licence"), "case_finished_online"),
    (lambda m, p: c.BookingConfirmed(m, p, matter()), "booking_confirmed"),
    (lambda m, p: c.BookingCancelled(m, p, matter()), "booking_cancelled"),
    (lambda m, p: c.PaymentSucceeded(m, p, matter(), f"case:{m}", 8000), "payment_succeeded"),
    (lambda m, p: c.PaymentRefunded(m, p, matter(), f"case:{m}", 8000, matter()), "payment_refunded"),
    (lambda m, p: c.RefundApproved(m, p, matter(), f"case:{m}", 8000, matter()), "refund_approved"),
    (lambda m, p: c.RefundListed(m, p, matter(), f"case:{m}", 8000, matter()), "refund_listed"),
    (lambda m, p: c.RefundRefused(m, p, matter(), f"case:{m}", 8000, matter()), "refund_refused"),
    (lambda m, p: c.RefundSubmitted(m, p, matter(), f"case:{m}", 8000, matter()), "refund_submitted"),
    (lambda m, p: c.RefundFailed(m, p, matter(), f"case:{m}", 8000, matter()), "refund_failed"),
    (lambda m, p: c.SurplusComes(m, p, matter(), f"case:{m}", 8000, matter()), "surplus_comes"),
    (lambda m, p: c.SurplusComes(m, p, matter(), f"case:{m}", 8000), "money_held"),
    (lambda m, p: c.ParcelOrdered(m, p, matter(), "inbound"), "pickup_ordered"),
    (lambda m, p: c.ParcelCollected(m, p, matter(), "inbound"), "materials_collected"),
    (lambda m, p: c.ParcelCollected(m, p, matter(), "outbound"), "parcel_sent"),
    (lambda m, p: c.ParcelDelivered(m, p, matter(), "inbound"), "materials_received"),
    (lambda m, p: c.ParcelDelivered(m, p, matter(), "outbound"), "parcel_delivered"),
    (lambda m, p: c.ParcelTroubled(m, p, matter(), "outbound"), "parcel_troubled"),
    (lambda m, p: c.ParcelChecked(m, p, matter(), "inbound", complete=False), "materials_incomplete"),
]
SILENT: list[Callable[[str, str], c.Event]] = [
    lambda m, p: c.ParcelOrdered(m, p, matter(), "outbound"),
    lambda m, p: c.ParcelChecked(m, p, matter(), "inbound", complete=True),
]


def hear(event: c.Event) -> None:
    ears: tuple[Ear, ...] = notifications.SUBSCRIPTIONS[type(event)]
    for ear in ears:
        run_unit(lambda u, e=ear: e(u, event))  # type: ignore[misc]


@pytest.mark.parametrize(("event", "kind"), CASES, ids=[kind for _, kind in CASES])
def test_an_event_is_told_in_its_own_words(person: Resident, event: Any, kind: str) -> None:
    about = matter()
    hear(event(about, person.id))
    (line,) = person.inbox()
    assert (line["kind"], line["matter"]) == (kind, about)
    assert FACTS["item"] in line["text"] or FACTS["place"] in line["text"]
    assert "$" not in line["text"] + line["title"] + line["link"]


@pytest.mark.parametrize("event", SILENT)
def test_what_nobody_waits_for_is_not_told(person: Resident, event: Any) -> None:
    hear(event(matter(), person.id))
    assert person.inbox() == []


def test_a_parcel_with_a_code_says_so(person: Resident) -> None:
    facts.register("tsc", lambda _u, _id: {"code_link": "https://zhangban.example/code", "what": "办理结果"})
    hear(c.ParcelCollected(matter(), person.id, ids.new_id("tsc"), "outbound"))
    (line,) = person.inbox()
    assert line["kind"] == "parcel_sent_code"
    assert "交接码" in line["text"]


def test_what_the_treasury_pays_out_is_not_told_as_a_channels(person: Resident) -> None:
    facts.register("tsw", lambda _u, _id: FACTS | {"way": "treasury"})
    about = matter()
    hear(c.PaymentRefunded(about, person.id, matter(), f"case:{about}", 8000, ids.new_id("tsw")))
    (line,) = person.inbox()
    assert line["kind"] == "refund_paid_out"
    assert "财政部门退付" in line["text"]
    assert "原路" not in line["text"]


def test_a_failed_refund_is_not_told_as_nothing_to_do(person: Resident) -> None:
    about = matter()
    hear(c.RefundFailed(about, person.id, matter(), f"case:{about}", 8000, matter()))
    (line,) = person.inbox()
    assert "重新办理" in line["text"]
    assert "无需操作" not in line["text"]


def test_who_pays_for_another_learns_nothing_of_the_matter(town: Any, person: Resident) -> None:
    owner = resident(town)
    facts.register("tsm", lambda _u, _id: {"number": "BZSECRET", "item": "房屋登记"})
    facts.register("tsp", lambda _u, _id: {"number": "pay123", "item_name": "登记费", "owed_by": owner.id})
    about, payment = ids.new_id("tsm"), ids.new_id("tsp")
    hear(c.PaymentSucceeded(about, person.id, payment, f"case:{about}", 8000))
    hear(c.PaymentRefunded(about, person.id, payment, f"case:{about}", 8000))
    told = person.inbox()
    assert {line["kind"] for line in told} == {"payment_for_other", "payment_refunded"}
    assert not any(secret in str(told) for secret in ("BZSECRET", about, "房屋登记"))
    (line,) = owner.inbox()
    assert (line["kind"], line["matter"]) == ("payment_succeeded", about)


def test_the_fee_named_is_the_one_demanded(person: Resident) -> None:
    hear(c.FeeDemanded(matter(), person.id, 123456))
    assert "1234.56元" in person.inbox()[0]["text"]


def test_news_is_pointless_after_the_moment_its_house_names(person: Resident) -> None:
    soon = clock.now().replace(microsecond=0) + timedelta(hours=2)
    facts.register("tse", lambda _u, _id: FACTS | {"not_after": soon.isoformat()})
    booking = ids.new_id("tse")
    about = matter()
    hear(c.BookingConfirmed(about, person.id, booking))
    assert message(about, "sms_aliyun").not_after == soon
