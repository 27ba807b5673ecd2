"""Out of hours (HN-06): a listed reason, evidence of one's own that is kept, and a site that reads it beforehand."""

from datetime import timedelta
from typing import Any

import pytest

from backend import booking
from backend.booking.models import BookingRow
from backend.cases.models import Upload
from backend.cases.services import uploads
from backend.cases.tasks import purge_uploads
from backend.kernel import clock
from backend.store.unit import unit
from tests.booking.makers import EXAM, a_person, book, make_slot, set_rules
from tests.booking.waiters import a_site, triggers
from tests.cases.files import photo
from tests.cases.visitors import Answer, Visitor, Visitors

SUBJECT = "科目一"


@pytest.fixture
def visitors(town: Any) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def site() -> str:
    return a_site()


@pytest.fixture
def who(visitors: Visitors) -> Visitor:
    return visitors.citizen(a_person())


def late(site: str, days: int = 5, **more: Any) -> booking.Slot:
    """An urgent slot on a Saturday or so."""
    starts = clock.now() + timedelta(days=days, hours=9)
    return make_slot(3, site=site, item=EXAM, subject=SUBJECT, starts=starts, urgent=True, **more)


def sent_by(visitor: Visitor) -> str:
    answer = visitor.post("/mp/v1/uploads", raw=photo(), media="image/jpeg")
    assert answer.status_code == 201, answer.text
    return str(answer.json["upload_id"])


def ask(visitor: Visitor, slot: booking.Slot, *evidence: str, reason: str = "medical") -> Answer:
    wish = {"slot_id": slot.id, "urgent_reason": reason, "urgent_evidence": list(evidence)}
    return visitor.post("/mp/v1/bookings", wish)


def booked_late(visitor: Visitor, slot: booking.Slot, evidence: str) -> str:
    held = ask(visitor, slot, evidence).json["id"]
    assert visitor.post(f"/mp/v1/bookings/{held}/confirmation").status_code == 200
    return str(held)


def kind_of(answer: Answer) -> str:
    return str(answer.json["type"]).rsplit(":", 1)[1]


def test_evidence_is_ones_own_and_whole(visitors: Visitors, site: str, who: Visitor) -> None:
    foreign, lost = sent_by(visitors.citizen(a_person())), sent_by(who)
    uploads.remove_files([lost])
    for evidence in (foreign, lost, "up-0123456789abcdefghjkmnpqrs", "nothing of ours"):
        refused = ask(who, late(site), sent_by(who), evidence)
        assert (refused.status_code, kind_of(refused)) == (422, "upload-unusable")
        assert [one["field"] for one in refused.json["errors"]] == ["urgent_evidence.1"]
    assert ask(who, late(site), sent_by(who)).status_code == 201


def test_what_is_part_of_an_application_is_no_evidence(site: str, who: Visitor) -> None:
    used = sent_by(who)
    with unit() as u:
        u.session.get_one(Upload, used).purge_at = None
    assert kind_of(ask(who, late(site), used)) == "upload-unusable"


def test_a_refused_hold_leaves_the_file_unused(site: str, who: Visitor) -> None:
    evidence = sent_by(who)
    assert ask(who, late(site), evidence, "up-nothing").status_code == 422
    with unit() as u:
        kept = u.session.get_one(Upload, evidence).purge_at
    assert kept is not None
    assert kept <= clock.now() + uploads.UNUSED_LIFE


def test_evidence_outlives_the_visit_by_a_month(site: str, who: Visitor) -> None:
    evidence, unused, slot = sent_by(who), sent_by(who), late(site)
    booked_late(who, slot, evidence)
    clock.move_to(slot.starts_at + timedelta(days=29))
    purge_uploads()
    with unit() as u:
        assert u.get(Upload, unused) is None
        assert u.get(Upload, evidence) is not None
    clock.move_to(slot.starts_at + timedelta(days=30, minutes=1))
    purge_uploads()
    with unit() as u:
        assert u.get(Upload, evidence) is None


def test_evidence_does_not_count_as_unused(site: str, who: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    booked_late(who, late(site), sent_by(who))
    monkeypatch.setattr(uploads, "MOST_UNUSED", 1)
    assert sent_by(who)
    assert who.post("/mp/v1/uploads", raw=photo(), media="image/jpeg").status_code == 429


def test_the_same_evidence_serves_again_after_a_lapse(site: str, who: Visitor) -> None:
    evidence, slot = sent_by(who), late(site)
    held = ask(who, slot, evidence).json["id"]
    who.post(f"/mp/v1/bookings/{held}/cancellation")
    assert ask(who, slot, evidence).status_code == 201


def test_the_site_reads_reason_and_evidence_before_the_visit(
    visitors: Visitors, site: str, who: Visitor
) -> None:
    evidence, slot = sent_by(who), late(site)
    booked, clerk = booked_late(who, slot, evidence), visitors.officer("BZ-GT", "window_clerk")
    day = clock.day_of(slot.starts_at)
    (line,) = clerk.get(f"/dept/v1/sites/{site}/urgent-visits?day={day}").json
    assert (line["visit"]["reason_label"], line["visit"]["evidence"]) == ("就医急需", [evidence])
    assert "*" in line["person"]["name_masked"]
    link = clerk.get(f"/dept/v1/bookings/{booked}/evidence/{evidence}/link")
    assert link.status_code == 200, link.text
    file = clerk.get(link.json["path"])
    assert (file.status_code, file.headers["Content-Type"]) == (200, "image/jpeg")
    assert file.headers["Cache-Control"] == "private, no-store"
    assert "evidence_viewed" in triggers(booked)
    looks = who.get("/mp/v1/me/looks").json["items"]
    assert [(one["what"], one["purpose"]) for one in looks] == [("急办证明", "核对急办预约的证明")]


def test_nobody_else_reads_the_evidence(visitors: Visitors, site: str, who: Visitor) -> None:
    evidence, slot, other = sent_by(who), late(site), sent_by(who)
    booked = booked_late(who, slot, evidence)
    at = f"/dept/v1/bookings/{booked}/evidence"
    clerk = visitors.officer("BZ-GT", "window_clerk")
    link = clerk.get(f"{at}/{evidence}/link").json["path"]
    assert clerk.get(f"{at}/{other}/link").status_code == 404
    assert clerk.get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 403
    for roles, department, status in (
        (("planner",), "BZ-GT", 403),
        (("window_clerk",), "BZ-GA", 404),
        (("audit_admin",), "BZ-GT", 404),
    ):
        one = visitors.officer(department, *roles)
        assert one.get(f"{at}/{evidence}/link").status_code == status
        assert one.get(link).status_code == status
        assert one.get(f"/dept/v1/sites/{site}/urgent-visits").status_code == status
    assert visitors.officer("BZ-GT", "handler").get(link).status_code == 403
    assert visitors.citizen(a_person()).get(f"/mp/v1/uploads/{evidence}/link").status_code == 404


def test_evidence_is_shut_again_when_nobody_comes(visitors: Visitors, site: str, who: Visitor) -> None:
    evidence = sent_by(who)
    booked, clerk = booked_late(who, late(site), evidence), visitors.officer("BZ-GT", "window_clerk")
    who.post(f"/mp/v1/bookings/{booked}/cancellation")
    assert clerk.get(f"/dept/v1/bookings/{booked}/evidence/{evidence}/link").status_code == 404


def test_moving_into_an_urgent_time_needs_reason_and_evidence(site: str, who: Visitor) -> None:
    usual = make_slot(1, site=site, item=EXAM, subject=SUBJECT, starts=clock.now() + timedelta(days=3))
    booked, target = book(usual.id, who.person_id), late(site)
    at = f"/mp/v1/bookings/{booked.id}/move"
    assert kind_of(who.post(at, {"slot_id": target.id})) == "urgency-needed"
    assert kind_of(who.post(at, moving(target, "up-nothing"))) == "upload-unusable"
    evidence = sent_by(who)
    assert who.post(at, moving(target, evidence)).status_code == 200
    assert who.post(f"{at}/confirmation").status_code == 200
    assert reason_of(booked.id) == ("medical", [evidence])
    with unit() as u:
        assert u.session.get_one(Upload, evidence).purge_at == target.starts_at + uploads.EVIDENCE_LIFE


def test_a_reason_is_forgotten_where_nobody_asks(site: str, who: Visitor) -> None:
    usual = make_slot(1, site=site, item=EXAM, subject=SUBJECT, starts=clock.now() + timedelta(days=3))
    booked = book(usual.id, who.person_id)
    at = f"/mp/v1/bookings/{booked.id}/move"
    who.post(at, moving(late(site), sent_by(who)))
    assert who.post(f"{at}/withdrawal").status_code == 200
    assert reason_of(booked.id) == ("", None)
    who.post(at, moving(late(site, 6), sent_by(who)))
    who.post(f"{at}/confirmation")
    assert reason_of(booked.id)[0] == "medical"
    another = make_slot(1, site=site, item=EXAM, subject=SUBJECT, starts=clock.now() + timedelta(days=4))
    who.post(at, {"slot_id": another.id})
    who.post(f"{at}/confirmation")
    assert reason_of(booked.id) == ("", None)


def test_from_one_urgent_time_to_another_the_reason_stands(site: str, who: Visitor) -> None:
    set_rules(site, EXAM, per_week=9)
    evidence, later = sent_by(who), late(site, 12)
    booked = booked_late(who, late(site), evidence)
    assert who.post(f"/mp/v1/bookings/{booked}/move", {"slot_id": later.id}).status_code == 200
    assert who.post(f"/mp/v1/bookings/{booked}/move/confirmation").status_code == 200
    assert reason_of(booked) == ("medical", [evidence])
    with unit() as u:
        assert u.session.get_one(Upload, evidence).purge_at == later.starts_at + uploads.EVIDENCE_LIFE


def test_a_usual_time_keeps_neither_reason_nor_file(site: str, who: Visitor) -> None:
    usual = make_slot(1, site=site, item=EXAM, subject=SUBJECT, starts=clock.now() + timedelta(days=3))
    evidence = sent_by(who)
    held = ask(who, usual, evidence).json["id"]
    assert reason_of(held) == ("", None)
    clock.advance(timedelta(hours=25))
    purge_uploads()
    with unit() as u:
        assert u.get(Upload, evidence) is None


def moving(slot: booking.Slot, *evidence: str) -> dict[str, Any]:
    return {"slot_id": slot.id, "urgent_reason": "medical", "urgent_evidence": list(evidence)}


def reason_of(booking_id: str) -> tuple[str, Any]:
    with unit() as u:
        row = u.session.get_one(BookingRow, booking_id)
        return row.urgent_reason, row.urgent_evidence
