"""The window for files, opened on the citizens' and on the departments' surface alike.

A file is put in as a raw body and looked at again through a link that soon ends.
"""

from flask import Response, request
from pydantic import Field

from backend.cases.content import MEDIA_TYPES, MOST_BYTES
from backend.cases.desk_views import SignedLink, UploadFile, UploadView
from backend.cases.problems import (
    LinkExpired,
    TooManyUploads,
    UploadBroken,
    UploadNotFound,
    UploadTypeWrong,
    UploadUnsafe,
)
from backend.cases.services import uploads
from backend.runtime.surface import Call, Query, RawBody, Surface
from backend.store.unit import run_unit, unit

FILE = RawBody(MOST_BYTES, MEDIA_TYPES)
CHECKS = (UploadTypeWrong, UploadBroken, UploadUnsafe, TooManyUploads)
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


class LinkParts(Query):
    """What makes a link good: when it ends (seconds since 1970) and its signature."""

    expires: int = Field(ge=0, le=2**40)
    sig: str = Field(pattern=r"^[0-9a-f]{64}$")


def add_upload(call: Call[bytes]) -> UploadView:
    """Keep a photograph or PDF (at most 10 MB); it is checked by its content, not by its name."""
    return uploads.keep_upload(call.body, request.mimetype, call.principal)


def link_upload(call: Call[None], upload_id: str) -> SignedLink:
    """A link to the file for five minutes, for me alone."""
    with unit() as u:
        return uploads.link_to(u, upload_id, call.principal, request.path.removesuffix("/link"))


def show_upload(call: Call[None], upload_id: str) -> Response:
    """The file behind a signed link."""
    parts: LinkParts = call.query
    return as_response(
        run_unit(lambda u: uploads.open_upload(u, upload_id, call.principal, parts.expires, parts.sig))
    )


def as_response(file: UploadFile) -> Response:
    """A file as it leaves the house: never cached, never run."""
    name = f"{file.upload_id}.{_ENDINGS[file.media_type]}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
    return Response(file.content, mimetype=file.media_type, headers=headers)


def open_files_window(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    gone = (UploadNotFound,)
    surface.post("/uploads", body=FILE, answers=UploadView, status=201, steps=True, problems=CHECKS)(
        add_upload
    )
    surface.get("/uploads/<upload_id>/link", answers=SignedLink, problems=gone)(link_upload)
    surface.get("/uploads/<upload_id>", query=LinkParts, media=MEDIA_TYPES, problems=(*gone, LinkExpired))(
        show_upload
    )
