"""Files of citizens and officers: checked by content, encrypted, kept behind the storage port, shown by signed link.

A link is good for five minutes (wire time) and for the viewer it was made for.
"""

import functools
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from backend import people
from backend.cases import content
from backend.cases.desk_views import SignedLink, UploadFile, UploadView
from backend.cases.models import UPLOAD_KEY, Case, Material, Upload
from backend.cases.problems import LinkExpired, TooManyUploads, UploadNotFound
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
MOST_UNUSED = 100
LOOK_PURPOSE = "办理申请"
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
    expires = int(clock.wire_seconds() + LINK_LIFE.total_seconds())
    signature = _signature(row.id, viewer.id, expires)
    return SignedLink(f"{path}?expires={expires}&sig={signature}", clock.wire_now() + LINK_LIFE)


def open_upload(u: Unit, upload_id: str, viewer: Principal, expires: int, signature: str) -> UploadFile:
    """The file, for the viewer of an unexpired link; an officer's look is journalled in the case.

    Raises LinkExpired, TooManyUploads, UploadNotFound.
    """
    wanted = _signature(upload_id, viewer.id, expires)
    if expires < clock.wire_seconds() or not hmac.compare_digest(wanted.encode(), signature.encode()):
        raise LinkExpired
    row, case = _visible(u, upload_id, viewer)
    if case is not None and viewer.id not in (row.owner_id, case.person_id):
        u.note(case.id, row.id, "file_viewed", by=viewer.actor, says="查看了申请材料")
        people.note_look(u, case.person_id, viewer, "material", LOOK_PURPOSE, case.id)
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


def _require_few_unused(u: Unit, owner_id: str) -> None:
    """Whoever stores files here uses them: a citizen may not fill the disk."""
    waiting = select(func.count()).where(Upload.owner_id == owner_id, Upload.purge_at.is_not(None))
    if (u.session.scalar(waiting) or 0) >= MOST_UNUSED:
        raise TooManyUploads(retry_after=3600)


def _signature(upload_id: str, viewer_id: str, expires: int) -> str:
    return vault.keyed_digest("upload-link", f"{upload_id}|{viewer_id}|{expires}").hex()
