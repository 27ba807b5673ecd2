"""Queue numbers: given at check-in, and to those who walk in and take one of the places kept for them."""

from datetime import date, datetime
from typing import Any, Final

from backend.booking.alternatives import ALTERNATIVES, alternatives
from backend.booking.hall.problems import NoQueueHere, WalkInsFull
from backend.booking.hall.questions import group_for, ticket_view
from backend.booking.hall.views import TicketView
from backend.booking.machine import TICKET
from backend.booking.models import BookingRow, SlotRow, TicketRow, WindowGroupRow
from backend.booking.services.hall import group_at
from backend.booking.services.site_rules import rules_of
from backend.booking.services.taking import are_walk_ins_planned, queue_of, walk_in
from backend.kernel import clock, ids
from backend.store import lean
from backend.store.unit import Actor, Unit

_COUNT: Final = """
    INSERT INTO booking_ticket_count (group_id, day, last) VALUES (%s, %s, 1)
    ON CONFLICT (group_id, day) DO UPDATE SET last = booking_ticket_count.last + 1 RETURNING last
"""


def queue_up(u: Unit, booking: BookingRow, slot: SlotRow, by: Actor) -> TicketRow | None:
    """A number for a booking just checked in; None where the site gives none for its item (exam sites).

    Who comes when the appointment is over queues like a walk-in.
    """
    group = group_for(u, slot.site_id, booking.item_id, slot.group_id)
    if group is None:
        return None
    starts_at = slot.starts_at if clock.now() <= slot.ends_at else None
    row = _number(u, group, starts_at=starts_at)
    row.booking_id, row.person_id = booking.id, booking.person_id
    return _given(u, row, group, by)


def take_number(u: Unit, site_id: str, by: Actor, *, group_id: str = "", item_id: str = "") -> TicketView:
    """A number for somebody without an appointment, of whom nothing is kept but the item.

    It takes a place kept for walk-ins, where the site plans any. When they are gone, the site's rules say whether
    one may queue all the same. Raises NotYours, NoQueueHere, WalkInsFull.
    """
    if group_id:
        group = group_at(u, site_id, group_id)
    elif (found := group_for(u, site_id, item_id)) is not None:
        group = found
    else:
        raise NoQueueHere
    row = _number(u, group)
    row.item_id = item_id or None
    row.beyond = not _has_room(u, row, group, item_id)
    wanted = [item_id] if item_id else group.item_ids
    if row.beyond and not all(rules_of(u, site_id, one).walk_ins_beyond for one in wanted):
        raise _full(u, site_id, wanted)
    return ticket_view(u, _given(u, row, group, by))


def _has_room(u: Unit, row: TicketRow, group: WindowGroupRow, item_id: str) -> bool:
    """Whether the number took a place, or the site plans none."""
    queue = queue_of(group, item_id)
    return walk_in(u, row.id, queue) or not are_walk_ins_planned(u, queue)


def _full(u: Unit, site_id: str, item_ids: list[Any]) -> WalkInsFull:
    others = [
        {"item_id": item_id, **one}
        for item_id in item_ids
        for one in alternatives(u, item_id, "", site_id, None)
    ]
    others.sort(key=lambda one: (one["site"]["id"] != site_id, one["starts_at"], one["slot_id"]))
    return WalkInsFull(
        None if others else "现在没有可以预约的时段，可在网上登记候补。", alternatives=others[:ALTERNATIVES]
    )


def _number(u: Unit, group: WindowGroupRow, *, starts_at: datetime | None = None) -> TicketRow:
    now, day = clock.now(), clock.today()
    number = _next_number(u, group.id, day)
    return TicketRow(
        id=ids.new_id("tk"), site_id=group.site_id, group_id=group.id, day=day, number=number,
        label=f"{group.letter}{number:03d}", starts_at=starts_at, taken_at=now, queued_at=now, calls=0, beyond=False,
    )  # fmt: skip


def _given(u: Unit, row: TicketRow, group: WindowGroupRow, by: Actor) -> TicketRow:
    u.begin(TICKET, row, by=by, says="取号排队", facts={"label": row.label, "group": group.name})
    u.add(row)
    return row


def _next_number(u: Unit, group_id: str, day: date) -> int:
    found = lean.execute(u.session, _COUNT, (group_id, day)).fetchone()
    assert found is not None
    return int(found[0])
