"""Story: somebody fetches my originals, my result comes home, and I see where everything is."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

import courier
from backend import cases, people
from backend.kernel.problems import InvalidInput, NotFound, NotYours
from backend.runtime.surface import Body, Call, Page, Surface
from backend.store.unit import Unit, run_unit, unit

ORDER_PROBLEMS = (
    NotFound,
    InvalidInput,
    people.AddressNotFound,
    courier.MailNotAllowed,
    courier.PickupAlreadyOpen,
    courier.CarrierRefused,
)


class PickupWish(Body):
    """Where to fetch what. Without `pieces` all originals that the department still waits for."""

    address_id: str = Field(min_length=1, max_length=40)
    delivery: Literal["courier", "rider"] = "courier"
    pieces: list[str] | None = Field(default=None, min_length=1, max_length=50)


class Cancelling(Body):
    """Why the pick-up is called off."""

    reason: Literal["changed_mind", "wrong_address", "other"] = "other"


def order_pickup(call: Call[PickupWish], case_id: str) -> courier.ParcelView:
    """Have originals of a case fetched; a silent carrier is tried again, the parcel waits meanwhile."""
    parcel = run_unit(lambda u: _remember(u, call, case_id))
    return courier.place_order(parcel.id)


def list_parcels(call: Call[None], case_id: str) -> Page[courier.ParcelView]:
    """All parcels of one of my cases, oldest first."""
    with unit() as u:
        cases.case_brief(u, case_id, person_id=call.principal.id)
        return Page(courier.parcels_of(u, case_id))


def show_parcel(call: Call[None], parcel_id: str) -> courier.ParcelDetail:
    """One of my parcels: where it is, who has it, and all that was heard of it."""
    with unit() as u:
        return courier.parcel_detail(u, parcel_id, person_id=call.principal.id)


def cancel_parcel(call: Call[Cancelling], parcel_id: str) -> courier.ParcelView:
    """Call a pick-up off."""
    by, person_id = call.principal.actor, call.principal.id
    return courier.cancel_parcel(parcel_id, call.body.reason, by, person_id=person_id)


def show_handover_code(call: Call[None], parcel_id: str) -> courier.HandoverCode:
    """Six digits to show to whoever brings the parcel, or to the clerk at the window."""
    return run_unit(lambda u: courier.handover_code(u, parcel_id, call.principal.id))


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface."""
    surface.post(
        "/cases/<case_id>/parcels",
        body=PickupWish,
        answers=courier.ParcelView,
        status=201,
        steps=True,
        problems=ORDER_PROBLEMS,
    )(order_pickup)
    surface.get("/cases/<case_id>/parcels", answers=Page[courier.ParcelView], problems=(NotFound,))(
        list_parcels
    )
    surface.get("/parcels/<parcel_id>", answers=courier.ParcelDetail, problems=(NotYours,))(show_parcel)
    surface.post(
        "/parcels/<parcel_id>/cancel",
        body=Cancelling,
        answers=courier.ParcelView,
        steps=True,
        problems=(NotYours, courier.ParcelAlreadyCollected),
    )(cancel_parcel)
    surface.get(
        "/parcels/<parcel_id>/handover-code",
        answers=courier.HandoverCode,
        problems=(NotYours, courier.NoHandover, courier.HandoverLocked),
    )(show_handover_code)


def _remember(u: Unit, call: Call[PickupWish], case_id: str) -> courier.ParcelView:
    person_id = call.principal.id
    brief = cases.case_brief(u, case_id, person_id=person_id)
    if not brief.mail_in_allowed:
        raise courier.MailNotAllowed
    awaited = [paper for paper in cases.paper_originals(u, case_id, person_id) if paper.state == "awaited"]
    return courier.wish_pickup(
        u,
        matter=case_id,
        person_id=person_id,
        department_id=brief.department_id,
        address_id=call.body.address_id,
        pieces=_chosen(awaited, call.body.pieces),
        by=call.principal.actor,
        delivery=call.body.delivery,
        key=call.key,
    )


def _chosen(awaited: Sequence[cases.PaperOriginal], names: Sequence[str] | None) -> list[courier.PieceWish]:
    """The originals to be fetched, as the case counts them. Raises InvalidInput for one it does not await."""
    wanted = dict.fromkeys(names if names is not None else [paper.name for paper in awaited])
    known = {paper.name: courier.PieceWish(paper.name, paper.copies) for paper in awaited}
    if unknown := [name for name in wanted if name not in known]:
        raise InvalidInput(
            errors=[{"field": "pieces", "message": f"本办件不需要邮寄“{name}”"} for name in unknown]
        )
    return [known[name] for name in wanted]
