"""Story: I keep the receipt of what I paid, and whoever I show it to can see that it is true."""

from pathlib import Path
from typing import Final

from flask import Response, render_template_string
from pydantic import Field

import payments
from backend import people
from backend.kernel.money import yuan
from backend.kernel.problems import NotFound, TooMany
from backend.runtime import paging
from backend.runtime.surface import Call, Page, Query, Surface
from backend.store.unit import unit

RECEIPTS: Final = Surface("receipts", "/receipts", audience="public", title="票据核验：持有票据的任何人")
_PDF, _HTML = "application/pdf", "text/html"
_PAGE = (Path(__file__).parent / "wording" / "receipt.html").read_text("utf-8")
_LONGEST_PROOF = 64


class ReceiptsAsked(Query):
    """A page of my receipts."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


def show_receipt(call: Call[None], payment_id: str) -> payments.ReceiptView:
    """The receipt of a payment: mine, or of what somebody paid for me; while it is being issued it has no number."""
    with unit() as u:
        return payments.receipt_of(u, payment_id, call.principal.id)


def list_receipts(call: Call[None]) -> Page[payments.ReceiptView]:
    """My receipts, newest first; void ones stay in the list."""
    asked: ReceiptsAsked = call.query
    with unit() as u:
        found = payments.receipts_of(u, call.principal.id, paging.key_of(asked.cursor), asked.limit + 1)
    return paging.page(found, asked.limit, lambda one: one.id)


def download_receipt(call: Call[None], payment_id: str) -> Response:
    """The receipt as a PDF, as often as I like; a void one says so."""
    with unit() as u:
        words = payments.receipt_words(u, payment_id, call.principal.id)
    response = Response(payments.draw_receipt(words), content_type=_PDF)
    response.headers["Content-Disposition"] = f'attachment; filename="{words.code}-{words.number}.pdf"'
    return response


@RECEIPTS.get(
    "/v1/<proof>",
    answers=payments.VerifiedReceipt,
    problems=(NotFound, TooMany),
    gate=people.per_sender("lookups"),
)
def verify_receipt(call: Call[None], proof: str) -> payments.VerifiedReceipt:
    """Verify a receipt by what its QR code says: unit, item, amount, date, and whether it is valid."""
    return _found(proof)


@RECEIPTS.get("/<proof>", media=(_HTML,), problems=(NotFound, TooMany), gate=people.per_sender("lookups"))
def page(call: Call[None], proof: str) -> Response:
    """Show the same as a page for a phone that scanned the QR code."""
    try:
        receipt, status = _found(proof), 200
    except NotFound:
        receipt, status = None, 404
    amount = yuan(receipt.amount_fen) if receipt else ""
    text = render_template_string(_PAGE, receipt=receipt, amount=amount)
    response = Response(text, status, content_type=f"{_HTML}; charset=utf-8")
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    return response


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface."""
    surface.get("/receipts", query=ReceiptsAsked, answers=Page[payments.ReceiptView])(list_receipts)
    surface.get("/payments/<payment_id>/receipt", answers=payments.ReceiptView, problems=(NotFound,))(
        show_receipt
    )
    surface.get(
        "/payments/<payment_id>/receipt/file",
        media=(_PDF,),
        problems=(NotFound, payments.ReceiptNotReady),
    )(download_receipt)


def _found(proof: str) -> payments.VerifiedReceipt:
    if len(proof) > _LONGEST_PROOF:
        raise NotFound
    with unit() as u:
        return payments.receipt_by_proof(u, proof)
