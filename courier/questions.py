"""What may be asked about parcels. Views are masked; foreign parcels look as absent."""

from collections.abc import Mapping

from sqlalchemy import select

from backend.kernel import privacy
from backend.kernel.problems import NotYours
from backend.runtime.audience import Principal
from backend.runtime.paging import Page, cursor, keys_of
from backend.runtime.settings import settings
from backend.store import vault
from backend.store.unit import Unit
from courier import labels
from courier.machine import ON_THE_ROAD, PARCEL, label_of
from courier.models import TRACE_PLACE, ParcelRow, PieceRow, TraceRow
from courier.services import riding, rows
from courier.services.handing import has_code
from courier.views import CustodyStep, ParcelDetail, ParcelView, PieceView, TaskView, TraceView
from courier.wording import say


def parcel(u: Unit, parcel_id: str, *, person_id: str | None = None) -> ParcelView:
    """One parcel. Raises NotYours when it is absent or another person's."""
    return view_of(u, _mine(u, parcel_id, person_id))


def parcel_detail(u: Unit, parcel_id: str, *, person_id: str | None = None) -> ParcelDetail:
    """One parcel with its traces and its chain of custody. Staff read traces without telephone numbers."""
    row = _mine(u, parcel_id, person_id)
    return ParcelDetail(view_of(u, row), _traces(u, row, plain=person_id is not None), custody_of(u, row.id))


def parcels_of(u: Unit, matter: str) -> tuple[ParcelView, ...]:
    """All parcels of a case, oldest first."""
    found = select(ParcelRow).where(ParcelRow.matter == matter).order_by(ParcelRow.id)
    return tuple(view_of(u, row) for row in u.session.scalars(found))


def expected_parcels(
    u: Unit, department_id: str, *, direction: str | None = None, after: str | None = None, limit: int = 20
) -> Page[ParcelView]:
    """A department's parcels that are not settled yet, newest first: on their way in, to be checked, to be sent."""
    question = select(ParcelRow).where(
        ParcelRow.department_id == department_id, ParcelRow.closed_at.is_(None)
    )
    if direction:
        question = question.where(ParcelRow.direction == direction)
    if keys := keys_of(after, 1):
        question = question.where(ParcelRow.id < str(keys[0]))
    found = list(u.session.scalars(question.order_by(ParcelRow.id.desc()).limit(limit + 1)))
    shown = found[:limit]
    more = cursor(shown[-1].id) if len(found) > limit else None
    return Page(tuple(view_of(u, row) for row in shown), more)


def custody_of(u: Unit, parcel_id: str) -> tuple[CustodyStep, ...]:
    """In whose hands a parcel was, and since when: the journal read aloud, repetitions left out."""
    row = u.get(ParcelRow, parcel_id)
    if row is None:
        raise NotYours
    steps: list[CustodyStep] = []
    for line in u.journal_of(row.matter):
        if line.subject == parcel_id and line.target:
            holder = holder_of(line.target, row, has_moved=bool(steps and steps[-1].holder == "carrier"))
            if not steps or steps[-1].holder != holder:
                steps.append(CustodyStep(line.occurred_at, holder, line.says))
    return tuple(steps)


def pieces_received(u: Unit, matter: str) -> tuple[PieceView, ...]:
    """Originals of a case that lie at the department now."""
    return tuple(_piece(piece, "checked") for piece in rows.originals_here(u, matter))


def tasks_of(u: Unit, rider: Principal, *, pool: bool = False) -> tuple[TaskView, ...]:
    """A rider's running tasks, or (`pool`) those that wait for somebody."""
    return tuple(task_of(u, row, rider) for row in riding.tasks_of(u, rider, pool=pool))


def task(u: Unit, parcel_id: str, rider: Principal) -> TaskView:
    """One of the rider's own running tasks. Raises NotYours."""
    return task_of(u, riding.my_task(u, rider, parcel_id), rider)


def facts_for(u: Unit, parcel_id: str) -> Mapping[str, str]:
    """Variables for wording: what, where, state, waybill, code_link."""
    row = u.get(ParcelRow, parcel_id)
    if row is None:
        return {}
    town = settings().town.public_base_url
    return {
        "what": say(f"purpose.{row.purpose}"),
        "where": label_of(row.state, row.carrier),
        "state": label_of(row.state, row.carrier),
        "waybill": row.waybill_no or "",
        "code_link": f"{town}/h5/#/pages/parcels/show?id={row.id}" if has_code(row) else "",
    }


def view_of(u: Unit, row: ParcelRow) -> ParcelView:
    return ParcelView(
        id=row.id, case_id=row.matter, person_id=row.person_id, department_id=row.department_id,
        direction=row.direction, purpose=row.purpose, state=row.state,
        state_label=label_of(row.state, row.carrier),
        holder=holder_of(row.state, row, has_moved=row.collected_at is not None),
        carrier=row.carrier, waybill_no=row.waybill_no, contact=labels.masked_contact(row),
        pieces=_pieces(u, row),
        packed=row.packed_at is not None, needs_holder=row.needs_holder, receipt_doubt=row.receipt_doubt,
        fee_fen=row.fee_fen, created_at=row.created_at, changed_at=row.changed_at,
        collected_at=row.collected_at, delivered_at=row.delivered_at,
        can_cancel=row.collected_at is None and PARCEL.can(row.state, "cancelled"), has_code=has_code(row),
    )  # fmt: skip


def task_of(u: Unit, row: ParcelRow, rider: Principal) -> TaskView:
    contact = labels.contact_on(row)
    office = labels.office_of(u, row.department_id)
    return TaskView(
        id=row.id, direction=row.direction, state=row.state, state_label=PARCEL.label(row.state),
        name=privacy.mask_name(contact.name) if contact else "",
        phone=privacy.mask_phone(contact.phone) if contact else "",
        address=privacy.mask_address(contact.full_address) if contact else "",
        office=f"{office.name} {office.full_address}",
        pieces=_pieces(u, row),
        mine=row.rider_id == rider.id, created_at=row.created_at,
    )  # fmt: skip


def holder_of(state: str, row: ParcelRow, *, has_moved: bool) -> str:
    """Who has it in a state: citizen, department, carrier or nobody."""
    sender, receiver = ("citizen", "department") if row.direction == "inbound" else ("department", "citizen")
    if row.carrier == "window":
        return "citizen" if state == "delivered" else "department"
    if state in ("delivered", "checked"):
        return receiver
    if state == "lost":
        return "nobody"
    if state in ON_THE_ROAD or (state == "troubled" and has_moved):
        return "carrier"
    return sender


def _mine(u: Unit, parcel_id: str, person_id: str | None) -> ParcelRow:
    row = u.get(ParcelRow, parcel_id)
    if row is None or person_id not in (None, row.person_id):
        raise NotYours
    return row


def _traces(u: Unit, row: ParcelRow, *, plain: bool) -> tuple[TraceView, ...]:
    """Oldest first. The citizen may read the courier's telephone number; nobody else needs it."""
    found = select(TraceRow).where(TraceRow.parcel_id == row.id).order_by(TraceRow.happened_at, TraceRow.id)
    return tuple(_trace(trace, plain=plain) for trace in u.session.scalars(found))


def _trace(row: TraceRow, *, plain: bool) -> TraceView:
    text = vault.open_sealed(TRACE_PLACE, row.id, row.text)
    return TraceView(row.happened_at, text if plain else privacy.scrub(text), row.place)


def _pieces(u: Unit, row: ParcelRow) -> tuple[PieceView, ...]:
    return tuple(_piece(piece, row.state) for piece in rows.pieces_of(u, row.id))


def _piece(row: PieceRow, parcel_state: str) -> PieceView:
    label = "kept" if parcel_state == "cancelled" else row.state
    return PieceView(row.name, row.copies, row.state, say(f"piece.{label}"), row.note)
