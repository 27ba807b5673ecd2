"""A receipt on paper: one A5 page with a QR code that verifies it. The same words give the same bytes.

The Chinese font is one every reader of PDF brings along (Adobe-GB1), so none travels in the file.
"""

import io
from typing import Any

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A5, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from backend.kernel.money import in_words, yuan
from payments import wording
from payments.receipts.views import ReceiptWords

FONT = "STSong-Light"
_INK, _FRAME, _RED = HexColor("#1c1c1c"), HexColor("#7a4a2b"), HexColor("#b3261e")
_WIDTH, _HEIGHT = landscape(A5)
_LEFT, _RIGHT = 14 * mm, _WIDTH - 14 * mm
_TOP, _HEAD, _FOOT, _BOTTOM = _HEIGHT - 48 * mm, _HEIGHT - 57 * mm, 50 * mm, 38 * mm
_AMOUNT = _RIGHT - 42 * mm
_QR = 28 * mm

pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def draw_receipt(words: ReceiptWords) -> bytes:
    """The PDF of a receipt; a void one says so across the page."""
    page, paper = io.BytesIO(), wording.PAPER
    canvas = Canvas(page, pagesize=(_WIDTH, _HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(f"{paper['title']} {words.code} {words.number}")
    canvas.setAuthor(words.unit)
    _head(canvas, words)
    _table(canvas, words)
    _foot(canvas, words)
    if words.says:
        _stamp(canvas, words.says)
    canvas.showPage()
    canvas.save()
    return page.getvalue()


def lines_of(text: str, size: float, width: float, most: int) -> list[str]:
    """Text broken where it no longer fits, at any character as Chinese is; what is too much ends in an ellipsis."""
    lines = [""]
    for character in text:
        if pdfmetrics.stringWidth(lines[-1] + character, FONT, size) > width:
            lines.append("")
        lines[-1] += character
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][:-1] + "…"]
    return lines


def _head(canvas: Any, words: ReceiptWords) -> None:
    paper = wording.PAPER
    _write(canvas, _WIDTH / 2, _HEIGHT - 19 * mm, paper["title"], 20, _RED, "middle")
    canvas.setStrokeColor(_RED)
    canvas.line(_WIDTH / 2 - 34 * mm, _HEIGHT - 22 * mm, _WIDTH / 2 + 34 * mm, _HEIGHT - 22 * mm)
    left = (
        (paper["code"], words.code),
        (paper["check"], words.check_code),
        (paper["payer"], words.payer or "—"),
    )
    right = (
        (paper["number"], words.number),
        (paper["issued"], words.issued_on.isoformat()),
        (paper["paid_number"], words.paid_number),
    )
    for column, pairs in ((_LEFT, left), (_WIDTH / 2 + 6 * mm, right)):
        for row, (label, value) in enumerate(pairs):
            text = lines_of(f"{label}：{value}", 10, _WIDTH / 2 - 22 * mm, 1)[0]
            _write(canvas, column, _HEIGHT - (29 + 6.5 * row) * mm, text, 10)


def _table(canvas: Any, words: ReceiptWords) -> None:
    paper = wording.PAPER
    canvas.setStrokeColor(_FRAME)
    canvas.rect(_LEFT, _BOTTOM, _RIGHT - _LEFT, _TOP - _BOTTOM)
    for height in (_HEAD, _FOOT):
        canvas.line(_LEFT, height, _RIGHT, height)
    canvas.line(_AMOUNT, _FOOT, _AMOUNT, _TOP)
    _write(canvas, (_LEFT + _AMOUNT) / 2, _TOP - 6.2 * mm, paper["item"], 10, _FRAME, "middle")
    _write(canvas, (_AMOUNT + _RIGHT) / 2, _TOP - 6.2 * mm, paper["amount"], 10, _FRAME, "middle")
    for row, line in enumerate(lines_of(words.item, 11, _AMOUNT - _LEFT - 8 * mm, 4)):
        _write(canvas, _LEFT + 4 * mm, _HEAD - (8 + 6 * row) * mm, line, 11)
    _write(canvas, _RIGHT - 4 * mm, _HEAD - 8 * mm, yuan(words.amount_fen), 11, anchor="end")
    _write(canvas, _LEFT + 4 * mm, _BOTTOM + 4 * mm, f"{paper['words']}：{in_words(words.amount_fen)}", 11)
    _write(canvas, _RIGHT - 4 * mm, _BOTTOM + 4 * mm, f"￥{yuan(words.amount_fen)}", 12, anchor="end")


def _foot(canvas: Any, words: ReceiptWords) -> None:
    paper = wording.PAPER
    notes = [f"{paper['unit']}：{words.unit}", paper["verify"]]
    notes += [paper["rest"]] if words.edition > 1 else []
    notes += [paper["play"]] if words.code.startswith("99") else []
    width, height = _RIGHT - _LEFT - _QR - 8 * mm, _BOTTOM - 8 * mm
    for note in notes:
        for line in lines_of(note, 9.5, width, 2):
            _write(canvas, _LEFT, height, line, 9.5)
            height -= 5.2 * mm
    code = QrCodeWidget(words.verify_url, barLevel="M", barWidth=_QR, barHeight=_QR, barBorder=2)
    renderPDF.draw(Drawing(_QR, _QR, code), canvas, _RIGHT - _QR, _BOTTOM - _QR - 3 * mm)


def _stamp(canvas: Any, says: str) -> None:
    canvas.saveState()
    canvas.translate(_WIDTH / 2, _HEIGHT / 2)
    canvas.rotate(18)
    _write(canvas, 0, -8 * mm, says, 54, Color(_RED.red, _RED.green, _RED.blue, alpha=0.55), "middle")
    canvas.restoreState()


def _write(
    canvas: Any, x: float, y: float, text: str, size: float, colour: Color = _INK, anchor: str = "start"
) -> None:
    canvas.setFillColor(colour)
    canvas.setFont(FONT, size)
    draw = {"start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString}
    draw[anchor](x, y, text)
