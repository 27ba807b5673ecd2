"""Other times for those whose own was closed: same item, subject and party, the same site first, then the soonest."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from backend.booking.machine import CONFIRMED
from backend.booking.models import BookingRow
from backend.booking.parties import FOR_ALL, FOR_ELDERS, Party
from backend.booking.questions import site_view, slot_and_site
from backend.booking.views import OtherTime
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store import lean
from backend.store.unit import Unit

TIME_TO_ANSWER: Final = timedelta(hours=2)
"""A place that must be confirmed sooner is not offered: messages are read late."""
NAMED: Final = 3
"""So many times may be chosen instead of the one that is held."""
# What is kept for those who wait goes to the displaced first; whoever chooses freely sees only what is free.
_FITTING: Final = f"""
    SELECT s.id FROM booking_slot s JOIN booking_slot old ON old.id = %(slot)s
    WHERE s.item_id = old.item_id AND s.subject = old.subject AND s.id <> old.id AND s.id <> ALL(%(tried)s)
        AND s.closed_at IS NULL AND s.release_id IS NULL AND (old.urgent OR NOT s.urgent)
        AND s.starts_at >= %(tomorrow)s AND s.closes_at >= %(answered)s
        AND coalesce(s.opens_at, '-infinity') <= %(now)s
        AND %(party)s <= (SELECT count(*) FROM booking_place p WHERE p.slot_id = s.id AND p.booking_id IS NULL
            AND (%(first)s OR NOT p.kept)
            AND (p.kind = 'open' OR p.kind = 'elder' AND ({FOR_ELDERS} OR {FOR_ALL})))
        AND NOT EXISTS (SELECT 1 FROM booking_booking b JOIN booking_slot t ON t.id = b.slot_id
            WHERE b.person_id = %(person)s AND b.id <> %(booking)s
                AND b.state IN ('held', 'confirmed', 'checked_in', 'called')
                AND t.starts_at < s.ends_at AND s.starts_at < t.ends_at)
    ORDER BY s.site_id <> old.site_id, s.starts_at, s.id LIMIT %(most)s
"""


def fitting(
    u: Unit, row: BookingRow, most: int, *, tried: Sequence[str] = (), first: bool = False
) -> list[str]:
    """Slots with room for a booking whose own was closed; `first`: also what is kept for those who wait."""
    now = clock.now()
    values: dict[str, Any] = {
        "slot": row.slot_id, "booking": row.id, "person": row.person_id, "party": row.party, "now": now,
        "youngest": Party.of_booking(row).youngest(u), "answered": now + TIME_TO_ANSWER,
        "first": first, "tried": list(tried), "most": most,
        "tomorrow": clock.start_of_day(clock.today() + timedelta(days=1)),
    }  # fmt: skip
    return [slot_id for (slot_id,) in lean.execute(u.session, _FITTING, values)]


def other_times(u: Unit, booking_id: str, person_id: str) -> list[OtherTime]:
    """What a person may choose instead of a closed time, beside what is held; none while it stands. Raises NotYours."""
    row = u.get(BookingRow, booking_id)
    if row is None or row.person_id != person_id:
        raise NotYours
    slot, _site = slot_and_site(u.session, row.slot_id)
    if row.state != CONFIRMED or slot.closed_at is None:
        return []
    tried = [row.moving_to] if row.moving_to else []
    found = fitting(u, row, NAMED, tried=tried)
    return [_view(u, slot_id) for slot_id in found]


def _view(u: Unit, slot_id: str) -> OtherTime:
    slot, site = slot_and_site(u.session, slot_id)
    return OtherTime(slot.id, site_view(site), slot.starts_at, slot.ends_at)
