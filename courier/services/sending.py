"""Making parcels: originals a citizen wants fetched, results on their way out, originals going home."""

from collections.abc import Sequence

from sqlalchemy import select

from backend.contracts import CaseFinished
from backend.kernel import clock
from backend.kernel.problems import InvalidInput
from backend.runtime.facts import facts_of
from backend.runtime.worker import wake
from backend.store.unit import Actor, Unit
from courier import labels
from courier.carriers import CARRIER_FOR, WINDOW
from courier.machine import PARCEL, UNCOLLECTED
from courier.models import ParcelRow, PieceRow
from courier.problems import MailNotAllowed, NothingToDispatch, PickupAlreadyOpen
from courier.services import rows
from courier.services.cancelling import leave_order
from courier.views import PieceWish
from courier.wording import say

PLACE_ORDERS = "courier.place_orders"


def wish_pickup(
    u: Unit, *, matter: str, person_id: str, department_id: str, address_id: str,
    pieces: Sequence[PieceWish], by: Actor, delivery: str = "courier", key: str = "",
) -> ParcelRow:  # fmt: skip
    """Remember that somebody shall fetch originals of a case. Nothing is ordered yet.

    The same `key` finds the parcel of the first time. Raises PickupAlreadyOpen, MailNotAllowed (nothing to send),
    AddressNotFound.
    """
    if not pieces or delivery not in ("courier", "rider"):
        raise MailNotAllowed
    for parcel in rows.locked_parcels(u, matter, "inbound"):
        if parcel.state in UNCOLLECTED:
            if key and parcel.wish_key == key:
                return parcel
            raise PickupAlreadyOpen
    parcel = rows.new_parcel(
        u, matter=matter, person_id=person_id, direction="inbound", purpose="materials",
        carrier=CARRIER_FOR[delivery], department_id=department_id, by=by, says=say("begun.pickup"),
    )  # fmt: skip
    labels.take_contact(u, parcel, address_id)
    parcel.wish_key, parcel.packed_at = key or None, clock.now()
    rows.pack(u, parcel, pieces)
    return parcel


def await_result(u: Unit, event: CaseFinished, by: Actor) -> ParcelRow | None:
    """A case is finished: the parcel its result will travel in, empty until the department packs it."""
    if event.delivery not in CARRIER_FOR:
        return None
    carrier = CARRIER_FOR[event.delivery] if event.deliver_to else WINDOW
    parcel = _unpacked(u, event.matter)
    if parcel is None:
        if _result_of(u, event.matter):
            return None
        parcel = rows.new_parcel(
            u, matter=event.matter, person_id=event.person_id, direction="outbound", purpose="result",
            carrier=carrier, department_id=_department_of(u, event.matter), by=by, says=say("begun.result"),
        )  # fmt: skip
    parcel.purpose, parcel.carrier, parcel.needs_holder = "result", carrier, True
    if event.deliver_to and carrier != WINDOW:
        labels.take_contact(u, parcel, event.deliver_to)
    return parcel


def send_back(u: Unit, source: ParcelRow, by: Actor) -> ParcelRow | None:
    """Originals that lie at the department go home, the way they came. None when nothing lies there."""
    waiting = [piece for piece in _unsent(u, source.matter) if piece.parcel_id == source.id]
    if not waiting:
        return None
    parcel = _unpacked(u, source.matter) or rows.new_parcel(
        u, matter=source.matter, person_id=source.person_id, direction="outbound", purpose="return",
        carrier=source.carrier, department_id=source.department_id, by=by, says=say("begun.return"),
    )  # fmt: skip
    if parcel.contact is None and parcel.carrier != WINDOW:
        _same_contact(u, parcel, source)
    rows.pack(u, parcel, [PieceWish(piece.name, piece.copies) for piece in waiting], waiting)
    return parcel


def pack_result(
    u: Unit,
    *,
    matter: str,
    department_id: str | None,
    documents: Sequence[PieceWish],
    needs_holder: bool,
    by: Actor,
) -> ParcelRow:
    """The department has put these documents in and closed the parcel: the carrier may be called.

    Originals of the case that lie here are recognised by name. Raises NothingToDispatch, InvalidInput (empty).
    """
    parcel = _to_dispatch(u, matter, department_id, by)
    packed = {piece.name for piece in rows.pieces_of(u, parcel.id)}
    rows.pack(
        u, parcel, [document for document in documents if document.name not in packed], _unsent(u, matter)
    )
    if not packed and not documents:
        raise InvalidInput(errors=[{"field": "documents", "message": say("list.empty")}])
    parcel.packed_at, parcel.needs_holder = clock.now(), needs_holder
    parcel.department_id = parcel.department_id or department_id
    if parcel.carrier == WINDOW:
        u.step(PARCEL, parcel, "laid_ready", by=by)
    else:
        u.note(matter, parcel.id, "packed", by=by, says=say("packed"))
        u.after_commit(lambda: wake(PLACE_ORDERS))
    rows.touched(parcel)
    return parcel


def _to_dispatch(u: Unit, matter: str, department_id: str | None, by: Actor) -> ParcelRow:
    """The parcel that waits to be packed; one that failed before it was fetched is tried again."""
    outbound = rows.locked_parcels(u, matter, "outbound")
    parcel = outbound[-1] if outbound else None
    if parcel is None or parcel.department_id not in (None, department_id):
        raise NothingToDispatch
    if parcel.state == "created" and parcel.packed_at is None:
        return parcel
    if parcel.state == "troubled" and parcel.collected_at is None:
        u.step(PARCEL, parcel, "reordered", by=by)
        leave_order(u, parcel)
        return parcel
    if parcel.state in ("returned", "cancelled"):
        return _once_more(u, parcel, by)
    raise NothingToDispatch


def _once_more(u: Unit, former: ParcelRow, by: Actor) -> ParcelRow:
    """A new parcel for what came back from the last one, with the same content."""
    parcel = rows.new_parcel(
        u, matter=former.matter, person_id=former.person_id, direction="outbound", purpose=former.purpose,
        carrier=former.carrier, department_id=former.department_id, by=by, says=say("begun.again"),
    )  # fmt: skip
    if parcel.carrier != WINDOW:
        _same_contact(u, parcel, former)
    for piece in rows.pieces_of(u, former.id):
        u.add(PieceRow(parcel_id=parcel.id, name=piece.name, copies=piece.copies, state="packed", note="",
                       origin_id=piece.origin_id))  # fmt: skip
    u.flush()
    return parcel


def _unpacked(u: Unit, matter: str) -> ParcelRow | None:
    waiting = [row for row in rows.locked_parcels(u, matter, "outbound") if row.state == "created"]
    return next((row for row in waiting if row.packed_at is None), None)


def _unsent(u: Unit, matter: str) -> list[PieceRow]:
    """Originals that lie at the department and are in no parcel home."""
    here = rows.originals_here(u, matter)
    travelling = select(PieceRow.origin_id).where(PieceRow.origin_id.in_([piece.id for piece in here]))
    packed = set(u.session.scalars(travelling))
    return [piece for piece in here if piece.id not in packed]


def _result_of(u: Unit, matter: str) -> bool:
    """Whether the result of the case was packed before: an ear may hear the same event twice."""
    return any(row.purpose == "result" for row in rows.locked_parcels(u, matter, "outbound"))


def _same_contact(u: Unit, parcel: ParcelRow, former: ParcelRow) -> None:
    """To the same address as the other parcel; asked of the register again when the label was forgotten."""
    contact = labels.contact_on(former)
    if contact is not None:
        parcel.address_id = former.address_id
        labels.write_contact(parcel, contact)
    elif former.address_id is not None:
        labels.take_contact(u, parcel, former.address_id)


def _department_of(u: Unit, matter: str) -> str | None:
    """Whose result it is, as the house of cases tells it."""
    return facts_of(u, matter).get("department_id")
