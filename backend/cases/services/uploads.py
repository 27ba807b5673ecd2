"""Files of citizens and officers: checked by content, encrypted, kept behind the storage port, shown by signed link.

A link is good for five minutes (wire time) and for the viewer it was made for.
"""

import functools
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from backend import people
from backend.cases import content
from backend.cases.desk_views import SignedLink, UploadFile, UploadView
from backend.cases.models import UPLOAD_KEY, Case, Material, Upload
from backend.cases.problems import LinkExpired, TooManyUploads, UploadNotFound, UploadUnusable
from backend.cases.services import desk
from backend.cases.storage import FileMissing, LocalDisk, Storage
from backend.kernel import clock, crypto, ids
from backend.kernel.problems import NotYours
from backend.runtime.audience import Principal
from backend.runtime.settings import settings
from backend.runtime.turns import Turns
from backend.store import vault
from backend.store.unit import Unit, unit

LINK_LIFE = timedelta(minutes=5)
UNUSED_LIFE = timedelta(hours=24)
EVIDENCE_LIFE = timedelta(days=30)
"""How long after the visit evidence for it is kept: long enough to answer a complaint."""
MOST_UNUSED = 100
LOOK_PURPOSE = "办理申请"
EVIDENCE_PURPOSE = "核对急办预约的证明"
# A picture of few bytes may keep a core busy for seconds.
_one_at_a_time = Turns(1, 2.0, lambda: TooManyUploads("正在处理的文件较多，请稍后再传。", retry_after=5))


@functools.cache
def storage() -> Storage:
    """The storage of this process."""
    return LocalDisk(settings().town.uploads_dir)


def keep_upload(raw: bytes, declared: str, owner: Principal) -> UploadView:
    """Check and keep a file; unused it is thrown away after 24 hours. Opens its own unit.

    The row comes before the bytes, so that a crash in between leaves nothing that nobody would purge.
    Raises UploadTypeWrong, UploadBroken, UploadUnsafe, TooManyUploads.
    """
    checked = _checked(raw, declared)
    upload_id, key = ids.new_id("up"), os.urandom(crypto.KEY_BYTES)
    sealed = crypto.seal_bytes(key, checked.content, upload_id.encode())
    row = Upload(
        id=upload_id,
        owner_id=owner.id,
        media_type=checked.media_type,
        size=len(checked.content),
        pages=checked.pages,
        digest=hashlib.sha256(sealed).digest(),
        key_sealed=vault.seal_bytes(UPLOAD_KEY.place, upload_id, key),
        uploaded_at=clock.now(),
        purge_at=clock.now() + UNUSED_LIFE,
    )
    with unit() as u:
        _require_few_unused(u, owner.id)
        u.add(row)
    storage().put(upload_id, sealed)
    return UploadView(row.id, row.media_type, row.size, row.pages, row.purge_at)


def link_to(u: Unit, upload_id: str, viewer: Principal, path: str) -> SignedLink:
    """`path` with an end and a signature for this viewer. Raises UploadNotFound when they may not see the file."""
    row, _ = _visible(u, upload_id, viewer)
    return _signed(row.id, viewer, path)


def open_upload(u: Unit, upload_id: str, viewer: Principal, expires: int, signature: str) -> UploadFile:
    """The file, for the viewer of an unexpired link; an officer's look is journalled in the case.

    Raises LinkExpired, TooManyUploads, UploadNotFound.
    """
    _require_good(upload_id, viewer, expires, signature)
    row, case = _visible(u, upload_id, viewer)
    if case is not None and viewer.id not in (row.owner_id, case.person_id):
        u.note(case.id, row.id, "file_viewed", by=viewer.actor, says="查看了申请材料")
        people.note_look(u, case.person_id, viewer, "material", LOOK_PURPOSE, case.id)
    return UploadFile(row.id, row.media_type, _opened(row))


def keep_evidence(u: Unit, upload_ids: Sequence[str], owner_id: str, visit_at: datetime) -> None:
    """Keep a citizen's own files as evidence for a visit until some time after it.

    Raises UploadUnusable for one that is absent, foreign, not stored completely, or part of an application already.
    """
    query = select(Upload).where(
        Upload.id.in_(upload_ids), Upload.owner_id == owner_id, Upload.material_id.is_(None),
        Upload.result_of.is_(None), Upload.purge_at > clock.now(),
    )  # fmt: skip
    rows = {row.id: row for row in u.session.scalars(query.order_by(Upload.id).with_for_update())}
    unusable = [one for one in upload_ids if one not in rows or not storage().holds(one)]
    if unusable:
        places = [place for place, one in enumerate(upload_ids) if one in unusable]
        raise UploadUnusable(
            errors=[
                {"field": f"urgent_evidence.{place}", "message": "请重新上传这份证明"} for place in places
            ]
        )
    for row in rows.values():
        row.purge_at = max(row.purge_at or visit_at, visit_at + EVIDENCE_LIFE)


def link_to_evidence(u: Unit, upload_id: str, owner_id: str, viewer: Principal, path: str) -> SignedLink:
    """`path` with an end and a signature for an officer; the caller has seen that they may look at the citizen's file.

    Raises UploadNotFound.
    """
    return _signed(_evidence(u, upload_id, owner_id).id, viewer, path)


def open_evidence(
    u: Unit, upload_id: str, owner_id: str, viewer: Principal, link: tuple[int, str], matter: str
) -> UploadFile:
    """The file, for the officer of an unexpired link (its end and signature); the look is written into the matter.

    Raises LinkExpired, UploadNotFound.
    """
    _require_good(upload_id, viewer, *link)
    row = _evidence(u, upload_id, owner_id)
    u.note(matter, row.id, "evidence_viewed", by=viewer.actor, says="查看了急办证明")
    people.note_look(u, owner_id, viewer, "evidence", EVIDENCE_PURPOSE, matter)
    return UploadFile(row.id, row.media_type, _opened(row))


def purge_unused(u: Unit, limit: int = 100) -> list[str]:
    """Forget rows of files that nothing took in time; the caller removes the bytes afterwards."""
    rows = u.session.scalars(
        select(Upload).where(Upload.purge_at < clock.now()).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        u.session.delete(row)
    return [row.id for row in rows]


def remove_files(names: Sequence[str]) -> None:
    for name in names:
        storage().remove(name)


def _checked(raw: bytes, declared: str) -> content.Checked:
    with _one_at_a_time.taken():
        return content.check(raw, declared)


def _visible(u: Unit, upload_id: str, viewer: Principal) -> tuple[Upload, Case | None]:
    """The upload and the case that took it, if the viewer is its owner, its citizen, or handles the case."""
    row = u.get(Upload, upload_id)
    if row is None:
        raise UploadNotFound
    case = _case_of(u, row)
    if viewer.id == row.owner_id or (case is not None and viewer.id == case.person_id):
        return row, case
    if case is None or viewer.kind == "citizen":
        raise UploadNotFound
    try:
        return row, desk.handled_case(u, case.id, viewer)
    except NotYours as absent:
        raise UploadNotFound from absent


def _case_of(u: Unit, row: Upload) -> Case | None:
    if row.result_of is not None:
        return u.get(Case, row.result_of)
    if row.material_id is None:
        return None
    return u.session.scalar(
        select(Case).join(Material, Material.case_id == Case.id).where(Material.id == row.material_id)
    )


def _opened(row: Upload) -> bytes:
    try:
        sealed = storage().fetch(row.id)
    except FileMissing as gone:
        raise UploadNotFound from gone
    key = vault.open_sealed_bytes(UPLOAD_KEY.place, row.id, row.key_sealed)
    return crypto.open_bytes(key, sealed, row.id.encode())


def _evidence(u: Unit, upload_id: str, owner_id: str) -> Upload:
    row = u.get(Upload, upload_id)
    if row is None or row.owner_id != owner_id:
        raise UploadNotFound
    return row


def _require_few_unused(u: Unit, owner_id: str) -> None:
    """Whoever stores files here uses them: a citizen may not fill the disk. What is kept longer is evidence."""
    unused = Upload.purge_at <= clock.now() + UNUSED_LIFE
    waiting = select(func.count()).where(Upload.owner_id == owner_id, unused)
    if (u.session.scalar(waiting) or 0) >= MOST_UNUSED:
        raise TooManyUploads(retry_after=3600)


def _signed(upload_id: str, viewer: Principal, path: str) -> SignedLink:
    expires = int(clock.wire_seconds() + LINK_LIFE.total_seconds())
    signature = _signature(upload_id, viewer.id, expires)
    return SignedLink(f"{path}?expires={expires}&sig={signature}", clock.wire_now() + LINK_LIFE)


def _require_good(upload_id: str, viewer: Principal, expires: int, signature: str) -> None:
    wanted = _signature(upload_id, viewer.id, expires)
    if expires < clock.wire_seconds() or not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise LinkExpired


def _signature(upload_id: str, viewer_id: str, expires: int) -> str:
    return vault.keyed_digest("upload-link", f"{upload_id}|{viewer_id}|{expires}").hex()
