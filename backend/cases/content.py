"""Looks into an uploaded file and believes nothing it says of itself: type by content, no active parts, no traces.

Photographs are decoded and written anew, which drops EXIF (place, device) and anything hidden behind the picture.
PDF files must parse, hold no scripts, actions, attachments or passwords (国办函〔2016〕108号: no executables).
"""

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageOps
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from backend.cases.problems import UploadBroken, UploadTypeWrong, UploadUnsafe

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
MOST_PAGES = 200
_MOST_OBJECTS = 50_000
_JPEG, _PNG, _PDF = "image/jpeg", "image/png", "application/pdf"
MEDIA_TYPES = (_JPEG, _PNG, _PDF)
_MAGIC = ((b"\xff\xd8\xff", _JPEG), (b"\x89PNG\r\n\x1a\n", _PNG), (b"%PDF-", _PDF))
_ACTIVE_KEYS = frozenset(
    {"/JavaScript", "/JS", "/Launch", "/EmbeddedFiles", "/EF", "/RichMediaContent", "/XFA"}
)
_ACTIVE_ACTIONS = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/Rendition",
        "/Movie",
        "/Sound",
    }
)
_ACTIVE_TYPES = frozenset({"/EmbeddedFile", "/Filespec", "/RichMedia", "/FileAttachment"})

# What the libraries raise over broken files, beside their own errors.
_BROKEN = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
    NotImplementedError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be kept: what it really is, the bytes to keep, and how many pages it has."""

    media_type: str
    content: bytes
    pages: int


def check(content: bytes, declared: str) -> Checked:
    """Raises UploadTypeWrong (also when it is not what it was declared as), UploadBroken or UploadUnsafe."""
    actual = next((media for magic, media in _MAGIC if content.startswith(magic)), None)
    if actual is None or actual != declared:
        raise UploadTypeWrong
    return _check_pdf(content) if actual == _PDF else _check_photo(content, actual)


def _check_photo(content: bytes, media_type: str) -> Checked:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as photo:
                if photo.width * photo.height > MOST_PIXELS:
                    raise UploadBroken
                return Checked(media_type, _written_anew(photo, media_type), 1)
    except (*_BROKEN, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UploadBroken from error


def _written_anew(photo: Image.Image, media_type: str) -> bytes:
    upright = ImageOps.exif_transpose(photo)
    target = io.BytesIO()
    if media_type == _JPEG:
        upright.convert("RGB").save(target, "JPEG", quality=90)
    else:
        bare = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        bare.info.clear()
        bare.save(target, "PNG")
    return target.getvalue()


def _check_pdf(content: bytes) -> Checked:
    try:
        reader = PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted:
            raise UploadUnsafe
        pages = len(reader.pages)
        if not 0 < pages <= MOST_PAGES:
            raise UploadBroken
        if any(_is_active(found) for found in _dictionaries(reader)):
            raise UploadUnsafe
    except (*_BROKEN, PyPdfError) as error:
        raise UploadBroken from error
    return Checked(_PDF, content, pages)


def _is_active(found: DictionaryObject) -> bool:
    """A script, a command, a form that sends itself somewhere, or a file inside the file."""
    kinds = {str(found.get("/Type", "")), str(found.get("/Subtype", ""))}
    action = str(found.get("/S", ""))
    return bool(_ACTIVE_KEYS & found.keys() or _ACTIVE_TYPES & kinds or action in _ACTIVE_ACTIONS)


def _dictionaries(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Every dictionary that can be reached from the trailer, each once. Raises UploadBroken for a maze."""
    waiting: list[object] = [reader.trailer]
    seen: set[tuple[int, int]] = set()
    for _ in range(_MOST_OBJECTS):
        if not waiting:
            return
        one = waiting.pop()
        if isinstance(one, IndirectObject):
            if (one.idnum, one.generation) in seen:
                continue
            seen.add((one.idnum, one.generation))
            one = one.get_object()
        if isinstance(one, DictionaryObject):
            yield one
        waiting.extend(_inside(one))
    raise UploadBroken


def _inside(one: object) -> list[object]:
    """What a container holds that may hold more; references stay unresolved, so that each is looked at once."""
    parts: list[object] = []
    if isinstance(one, DictionaryObject):
        parts = [one.raw_get(key) for key in one]
    elif isinstance(one, ArrayObject):
        parts = list(list.__iter__(one))
    return [part for part in parts if isinstance(part, (IndirectObject, DictionaryObject, ArrayObject))]
