"""The finance office's desk for receipts: those that were refused or stay without an answer, and what to do."""

from pydantic import Field

import payments
from backend import people
from backend.department.bills import FINANCE
from backend.department.refunds import finance_reach
from backend.kernel.problems import ImpossibleMove, NotFound
from backend.runtime import paging
from backend.runtime.audience import Principal
from backend.runtime.surface import Call, Page, Query, Surface, Unit
from backend.store.unit import unit


class TroublesAsked(Query):
    """A page of receipts in trouble."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=paging.DEFAULT_LIMIT, ge=1, le=paging.MAX_LIMIT)


def list_troubled(call: Call[None]) -> Page[payments.TroubledReceipt]:
    """Receipts of my department (the finance office: of all) that need a look, oldest first."""
    people.require_role(call.principal, FINANCE)
    asked: TroublesAsked = call.query
    reach, after = finance_reach(call.principal), paging.key_of(asked.cursor)
    with unit() as u:
        found = payments.troubled_receipts(u, reach, after, asked.limit + 1)
    return paging.page(found, asked.limit, lambda one: one.id)


def ask_again(call: Call[None], u: Unit, receipt_id: str) -> payments.TroubledReceipt:
    """Let the receipt system be asked once more, at once."""
    _in_reach(u, call.principal, receipt_id)
    return payments.ask_receipt_again(u, receipt_id, call.principal.actor)


def show_standing(call: Call[None], receipt_id: str) -> payments.ReceiptStanding:
    """Ask the receipt system itself what it knows of a receipt; `unknown` when it does not answer."""
    with unit() as u:
        _in_reach(u, call.principal, receipt_id)
    return payments.receipt_standing(receipt_id)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    told = (people.OutsideYourScope, NotFound)
    surface.get(
        "/receipts",
        query=TroublesAsked,
        answers=Page[payments.TroubledReceipt],
        problems=(people.OutsideYourScope,),
    )(list_troubled)
    surface.post(
        "/receipts/<receipt_id>/questions",
        answers=payments.TroubledReceipt,
        problems=(*told, ImpossibleMove),
    )(ask_again)
    surface.get("/receipts/<receipt_id>/standing", answers=payments.ReceiptStanding, problems=told)(
        show_standing
    )


def _in_reach(u: Unit, principal: Principal, receipt_id: str) -> None:
    """Raises OutsideYourScope; NotFound for a receipt of others, which looks absent."""
    people.require_role(principal, FINANCE)
    if not _reaches(principal, payments.troubled_receipt(u, receipt_id)):
        raise NotFound


def _reaches(principal: Principal, receipt: payments.TroubledReceipt) -> bool:
    """Fees of cases name no region: there the department alone decides."""
    region = receipt.region_code
    return any(
        scope.role == FINANCE
        and scope.department_id in (None, receipt.payee)
        and (region is None or people.covers(scope.region_code, region))
        for scope in people.scopes_of(principal)
    )
