"""Uploads over HTTP: taken by content, used once, seen by few, gone when unused."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from backend import cases
from backend.cases import tasks
from backend.cases.services import uploads
from backend.kernel import clock, ids
from backend.runtime.settings import settings
from backend.store.unit import run_unit, unit
from tests.cases import files, makers
from tests.cases.visitors import Visitor, Visitors


def send(who: Visitor, raw: bytes, media: str = "image/jpeg") -> str:
    answer = who.post("/mp/v1/uploads", raw=raw, media=media)
    assert answer.status_code == 201, answer.json
    return str(answer.json["upload_id"])


def look(who: Visitor, upload_id: str) -> bytes:
    link = who.get(f"/mp/v1/uploads/{upload_id}/link").json["path"]
    answer = who.get(link)
    assert answer.status_code == 200, answer.json
    return answer.data


def with_card(upload_id: str, who: str) -> cases.Application:
    with unit() as u:
        whole = makers.application(u, who)
        given = tuple(
            cases.MaterialGiven("m2", "upload", (upload_id,)) if one.code == "m2" else one
            for one in whole.materials
        )
        return makers.application(u, who, materials=given)


def file_with(upload_id: str, who: str) -> cases.CaseReceipt:
    wish = with_card(upload_id, who)
    return run_unit(lambda u: cases.submit_case(u, wish, makers.citizen(who)))


def on_disk(upload_id: str) -> Path:
    return settings().town.uploads_dir / upload_id[-2:] / upload_id


def test_an_upload_is_seen_again_by_its_owner(visitor: Visitors) -> None:
    who = visitor.citizen()
    upload_id = send(who, files.pdf(), "application/pdf")
    assert look(who, upload_id) == files.pdf()


def test_files_are_looked_into_one_at_a_time(visitor: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads._one_at_a_time, "wait_s", 0.01)
    who = visitor.citizen()
    with uploads._one_at_a_time.taken():
        refused = who.post("/mp/v1/uploads", raw=files.photo(), media="image/jpeg")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
    assert send(who, files.photo())


def test_the_bytes_on_disk_are_encrypted(visitor: Visitors) -> None:
    upload_id = send(visitor.citizen(), files.pdf(), "application/pdf")
    kept = on_disk(upload_id).read_bytes()
    assert b"%PDF" not in kept
    assert on_disk(upload_id).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("raw", "media", "slug"),
    [
        (files.photo("PNG"), "image/jpeg", "upload-type-wrong"),
        (files.pdf_with_script(), "application/pdf", "upload-unsafe"),
        (files.photo()[:150], "image/jpeg", "upload-broken"),
        (b"GIF89a", "image/gif", "unsupported-media"),
        (b"\xff\xd8\xff" + bytes(10 * 1024 * 1024), "image/jpeg", "too-large"),
    ],
    ids=["lie", "script", "half", "gif", "huge"],
)
def test_a_bad_upload_leaves_nothing_behind(visitor: Visitors, raw: bytes, media: str, slug: str) -> None:
    who = visitor.citizen()
    answer = who.post("/mp/v1/uploads", raw=raw, media=media)
    assert answer.json["type"].endswith(slug)
    with unit() as u:
        kept = u.session.scalar(
            text("SELECT count(*) FROM cases_upload WHERE owner_id = :o"), {"o": who.person_id}
        )
    assert kept == 0


def test_a_link_is_an_attachment_nobody_sniffs(visitor: Visitors) -> None:
    who = visitor.citizen()
    upload_id = send(who, files.photo())
    answer = who.get(who.get(f"/mp/v1/uploads/{upload_id}/link").json["path"])
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_link_ends_after_five_minutes(visitor: Visitors) -> None:
    who = visitor.citizen()
    upload_id = send(who, files.photo())
    expired = int(clock.wire_seconds()) - 1
    signature = uploads._signature(upload_id, who.person_id, expired)
    answer = who.get(f"/mp/v1/uploads/{upload_id}?expires={expired}&sig={signature}")
    assert answer.json["type"].endswith("link-expired")


def test_a_link_is_for_its_viewer_alone(visitor: Visitors) -> None:
    who, other = visitor.citizen(), visitor.citizen()
    upload_id = send(who, files.photo())
    link = who.get(f"/mp/v1/uploads/{upload_id}/link").json["path"]
    assert other.get(link).json["type"].endswith("link-expired")
    assert other.get(f"/mp/v1/uploads/{upload_id}/link").json["type"].endswith("upload-not-found")
    assert visitor.stranger().get(link).status_code == 401


def test_an_upload_serves_one_material_only(visitor: Visitors) -> None:
    who = visitor.citizen()
    upload_id = send(who, files.photo())
    file_with(upload_id, who.person_id)
    with pytest.raises(cases.UploadUnusable):
        file_with(upload_id, who.person_id)


def test_somebody_elses_upload_cannot_be_used(visitor: Visitors) -> None:
    who, other = visitor.citizen(), visitor.citizen()
    upload_id = send(other, files.photo())
    with pytest.raises(cases.UploadUnusable):
        file_with(upload_id, who.person_id)
    with unit() as u:
        assert cases.cases_of(u, who.person_id).items == ()


def test_the_department_sees_the_file_and_leaves_a_trace(visitor: Visitors) -> None:
    who, officer, stranger = visitor.citizen(), visitor.officer(), visitor.officer(makers.POLICE)
    upload_id = send(who, files.pdf(), "application/pdf")
    receipt = file_with(upload_id, who.person_id)
    link = officer.get(f"/dept/v1/uploads/{upload_id}/link").json["path"]
    assert officer.get(link).data == files.pdf()
    assert stranger.get(f"/dept/v1/uploads/{upload_id}/link").status_code == 404
    with unit() as u:
        last = u.journal_of(receipt.case_id)[-1]
    assert (last.trigger, last.actor.id, last.subject) == ("file_viewed", officer.person_id, upload_id)
    looks = who.get("/mp/v1/me/looks").json["items"]
    assert [(look["what"], look["matter"]) for look in looks] == [("申请材料", receipt.case_id)]


def test_an_unused_upload_is_thrown_away(visitor: Visitors) -> None:
    who = visitor.citizen()
    used, unused = send(who, files.photo()), send(who, files.photo())
    file_with(used, who.person_id)
    clock.advance(timedelta(hours=25))
    assert tasks.purge_uploads() >= 1
    assert on_disk(used).exists()
    assert not on_disk(unused).exists()
    assert who.get(f"/mp/v1/uploads/{unused}/link").status_code == 404


def test_a_citizen_may_not_fill_the_disk(visitor: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_UNUSED", 2)
    who = visitor.citizen()
    send(who, files.photo())
    send(who, files.photo())
    answer = who.post("/mp/v1/uploads", raw=files.photo(), media="image/jpeg")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)


def test_no_path_leads_out_of_the_folder() -> None:
    for name in ("../../etc/passwd", "up-1/../../x", ""):
        with pytest.raises(ValueError, match="id"):
            uploads.storage().fetch(name)
    with pytest.raises(LookupError):
        uploads.storage().fetch(ids.new_id("up"))
