"""Files as people send them: good ones, lying ones, dangerous ones."""

import io

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject


def photo(kind: str = "JPEG", size: tuple[int, int] = (60, 40), *, exif: bool = False) -> bytes:
    """A small picture; with `exif` it says where it was taken."""
    target, picture = io.BytesIO(), Image.new("RGB", size, (200, 30, 30))
    if exif:
        marks = Image.Exif()
        marks[0x010E] = "SECRET-PLACE"
        marks[0x0112] = 6
        picture.save(target, kind, exif=marks)
    else:
        picture.save(target, kind)
    return target.getvalue()


def pdf(pages: int = 1) -> bytes:
    return _written(_blank(pages))


def pdf_with_script() -> bytes:
    """A script that runs when the file is opened."""
    writer = _blank(1)
    writer.root_object[NameObject("/OpenAction")] = _action("/JavaScript", "/JS", "app.alert('hello')")
    return _written(writer)


def pdf_with_launch() -> bytes:
    """An action deep inside a page's annotation."""
    writer = _blank(1)
    action = _action("/Launch", "/F", "cmd.exe")
    writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): action})
    return _written(writer)


def pdf_with_attachment() -> bytes:
    writer = _blank(1)
    writer.add_attachment("virus.exe", b"MZ")
    return _written(writer)


def pdf_with_password() -> bytes:
    writer = _blank(1)
    writer.encrypt("secret", algorithm="AES-128")
    return _written(writer)


def _action(kind: str, key: str, what: str) -> DictionaryObject:
    return DictionaryObject({NameObject("/S"): NameObject(kind), NameObject(key): TextStringObject(what)})


def _blank(pages: int) -> PdfWriter:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    return writer


def _written(writer: PdfWriter) -> bytes:
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()
