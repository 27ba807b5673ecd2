"""Finding and locking a parcel: who may have it, and what is written down with every change."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from backend.kernel import clock, ids
from backend.kernel.problems import NotYours
from backend.store.unit import Actor, Unit
from courier.machine import FINISHED, PARCEL
from courier.models import OrderRow, ParcelRow, PieceRow
from courier.views import PieceWish


def locked(u: Unit, parcel_id: str, *, person_id: str | None = None) -> ParcelRow:
    """The parcel, locked. Raises NotYours when it is absent or another person's."""
    row = u.get(ParcelRow, parcel_id, lock=True)
    if row is None or person_id not in (None, row.person_id):
        raise NotYours
    return row


def locked_order(u: Unit, code: str) -> tuple[OrderRow, ParcelRow]:
    """An order and its parcel; the parcel is locked first, always. Raises LookupError."""
    parcel_id = u.session.scalar(select(OrderRow.parcel_id).where(OrderRow.code == code))
    if parcel_id is None:
        raise LookupError(f"no order {code}")
    row = u.get(ParcelRow, parcel_id, lock=True)
    order = u.get(OrderRow, code, lock=True)
    assert row is not None
    assert order is not None
    return order, row


def locked_parcels(u: Unit, matter: str, direction: str | None = None) -> list[ParcelRow]:
    """All parcels of a case, oldest first, locked in the order of their ids."""
    question = select(ParcelRow).where(ParcelRow.matter == matter).order_by(ParcelRow.id).with_for_update()
    if direction:
        question = question.where(ParcelRow.direction == direction)
    return list(u.session.scalars(question.execution_options(populate_existing=True)))


def pieces_of(u: Unit, parcel_id: str) -> list[PieceRow]:
    """What is in a parcel, in the order in which it was packed."""
    return list(
        u.session.scalars(select(PieceRow).where(PieceRow.parcel_id == parcel_id).order_by(PieceRow.id))
    )


def originals_here(u: Unit, matter: str) -> list[PieceRow]:
    """Originals of a case that arrived at the department and have not reached their owner again."""
    return list(
        u.session.scalars(
            select(PieceRow)
            .join(ParcelRow, ParcelRow.id == PieceRow.parcel_id)
            .where(ParcelRow.matter == matter, ParcelRow.direction == "inbound")
            .where(PieceRow.state.in_(("received", "extra")))
            .order_by(PieceRow.id)
        )
    )


def new_parcel(
    u: Unit, *, matter: str, person_id: str, direction: str, purpose: str, carrier: str,
    department_id: str | None, by: Actor, says: str,
) -> ParcelRow:  # fmt: skip
    """A parcel on paper: nothing is ordered or packed yet."""
    now = clock.now()
    row = ParcelRow(
        id=ids.new_id("par"), matter=matter, person_id=person_id, department_id=department_id,
        direction=direction, purpose=purpose, carrier=carrier, state=PARCEL.start, attempt=0,
        needs_holder=False, send_back=False, created_at=now, changed_at=now,
    )  # fmt: skip
    u.begin(PARCEL, row, by=by, says=says, facts={"direction": direction, "carrier": carrier})
    u.add(row)
    u.flush()
    return row


def pack(u: Unit, row: ParcelRow, pieces: Iterable[PieceWish], origins: Sequence[PieceRow] = ()) -> None:
    """Put documents into a parcel; an original that lies here is remembered as the same piece."""
    waiting = {piece.name: piece.id for piece in origins}
    for piece in pieces:
        u.add(
            PieceRow(
                parcel_id=row.id,
                name=piece.name,
                copies=piece.copies,
                state="packed",
                note="",
                origin_id=waiting.pop(piece.name, None),
            )
        )
    u.flush()


def touched(row: ParcelRow) -> None:
    """After every change: when, and whether anything is still to come."""
    row.changed_at = clock.now()
    over = row.state in FINISHED and not (row.direction == "inbound" and row.state == "delivered")
    row.closed_at = (row.closed_at or clock.now()) if over else None
