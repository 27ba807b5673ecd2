"""Our own riders and postal points: tasks from the pool, and the news that only they can tell."""

from collections.abc import Sequence

from sqlalchemy import false, select, true

from backend import people
from backend.kernel.privacy import scrub
from backend.kernel.problems import FieldError, NotYours
from backend.runtime.audience import Principal
from backend.store.unit import Unit
from courier import labels
from courier.machine import FINISHED
from courier.merge import NOTE
from courier.models import ParcelRow, PieceRow
from courier.problems import ParcelNotHere, PiecesDiffer
from courier.services import rows
from courier.services.hearing import tell
from courier.views import PieceWish, TaskContact
from courier.wording import say

OWN = "own_riders"
TURNED_BACK = frozenset({"refused", "not_at_address"})
"""Reasons that end the delivery: the parcel goes back to the department."""


def is_ours(rider: Principal) -> bool:
    """Whether the courier rides for us: those of other carriers see no task of the pool."""
    return rider.extra.get("carrier") == "rider"


def in_pool(row: ParcelRow) -> bool:
    """Whether any rider of ours may take it."""
    return row.carrier == OWN and row.state == "ordered" and row.rider_id is None


def take_task(u: Unit, rider: Principal, parcel_id: str) -> ParcelRow:
    """Take a task out of the pool. Raises NotYours when it is not there any more."""
    row = u.get(ParcelRow, parcel_id, lock=True)
    if row is None or not in_pool(row) or not is_ours(rider):
        raise NotYours
    row.rider_id = rider.id
    tell(u, row, "assigned", say("trace.assigned"), rider.actor, source="rider")
    return row


def collect(u: Unit, rider: Principal, parcel_id: str, pieces: Sequence[PieceWish]) -> ParcelRow:
    """Fetched from the sender, list confirmed piece by piece. Raises NotYours, ParcelNotHere, PiecesDiffer."""
    row = my_task(u, rider, parcel_id)
    if row.state not in ("assigned", "troubled") or row.collected_at is not None:
        raise ParcelNotHere
    if errors := _not_as_packed(rows.pieces_of(u, row.id), pieces):
        raise PiecesDiffer(errors=errors)
    tell(u, row, "collected", say("trace.collected"), rider.actor, source="rider")
    return row


def set_out(u: Unit, rider: Principal, parcel_id: str) -> ParcelRow:
    """On the way to the receiver."""
    return _on_the_way(u, rider, parcel_id, "sent_out", say("trace.sent_out"))


def fail_delivery(u: Unit, rider: Principal, parcel_id: str, reason: str) -> ParcelRow:
    """It could not be fetched or handed over, for one of the known reasons. Raises NotYours, ParcelNotHere."""
    row = my_task(u, rider, parcel_id)
    if row.collected_at is None:
        tell(u, row, "troubled", say("failed.pickup"), rider.actor, source="rider")
        return row
    trigger = "turned_back" if reason in TURNED_BACK else "troubled"
    return _on_the_way(u, rider, parcel_id, trigger, say(f"failed.{reason}"))


def note_place(u: Unit, rider: Principal, parcel_id: str, place: str) -> ParcelRow:
    """Where the parcel is now, in a few words; moves nothing. Numbers of people typed into it are not kept."""
    place = scrub(place)
    return _on_the_way(u, rider, parcel_id, NOTE, say("trace.place", place=place), place)


def reveal_contact(u: Unit, rider: Principal, parcel_id: str) -> TaskContact:
    """Name, phone and address in full, for as long as the task lasts; the look is written down."""
    row = my_task(u, rider, parcel_id)
    contact, office = labels.contact_on(row), labels.office_of(u, row.department_id)
    if contact is None or row.address_id is None:
        raise NotYours
    people.note_look(u, row.person_id, rider, "address", "delivery", row.matter)
    return TaskContact(
        contact.name, contact.phone, contact.full_address, f"{office.name} {office.full_address}"
    )


def my_task(u: Unit, rider: Principal, parcel_id: str) -> ParcelRow:
    """A rider's own running task, locked; anything else looks as absent (PIPL 21: access ends with delivery)."""
    row = u.get(ParcelRow, parcel_id, lock=True)
    if row is None or row.rider_id != rider.id or row.state in FINISHED:
        raise NotYours
    return row


def tasks_of(u: Unit, rider: Principal, *, pool: bool) -> list[ParcelRow]:
    """A rider's running tasks, or those waiting for somebody, oldest first."""
    question = select(ParcelRow).where(ParcelRow.carrier == OWN).order_by(ParcelRow.id).limit(100)
    if pool:
        question = question.where(ParcelRow.state == "ordered", ParcelRow.rider_id.is_(None))
        question = question.where(true() if is_ours(rider) else false())
    else:
        question = question.where(ParcelRow.rider_id == rider.id, ParcelRow.state.not_in(FINISHED))
    return list(u.session.scalars(question))


def _on_the_way(
    u: Unit, rider: Principal, parcel_id: str, trigger: str, text: str, place: str = ""
) -> ParcelRow:
    row = my_task(u, rider, parcel_id)
    if row.collected_at is None:
        raise ParcelNotHere
    if not tell(u, row, trigger, text, rider.actor, source="rider", place=place):
        raise ParcelNotHere
    return row


def _not_as_packed(packed: Sequence[PieceRow], seen: Sequence[PieceWish]) -> list[FieldError]:
    """Where the list the rider confirms differs from what was packed."""
    expected = {piece.name: piece.copies for piece in packed}
    given = {piece.name: piece.copies for piece in seen}
    wrong = [name for name in expected | given if expected.get(name) != given.get(name)]
    return [{"field": "pieces", "message": say("list.not_as_packed", name=name)} for name in wrong]
