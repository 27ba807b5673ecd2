"""Takes places: each by updating its own row (SKIP LOCKED), so the database decides every race.

Nobody waits for somebody who wants another place of the same slot; only families, who want several at once, do.
"""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from backend.booking.models import WindowGroupRow
from backend.booking.services.wanted import FITS, OFFERABLE
from backend.kernel import clock
from backend.runtime import worker
from backend.store import lean
from backend.store.unit import Unit

SMALL: Final = 32
"""In a larger slot people begin to look at different places; in a small one everybody begins at the first."""
WAITS_S: Final = (0.0, 0.01, 0.03, 0.1, 0.3)
FREE: Final = "booking_id IS NULL AND NOT kept AND (kind = 'open' OR kind = ANY(%(kinds)s))"
"""Which places somebody may take; `kinds` are the quotas that are open to them beside the places for everybody."""
TAKE: Final = f"""
    UPDATE booking_place SET booking_id = %(booking)s FROM (
        SELECT slot_id AS slot, number AS place FROM booking_place
        WHERE slot_id = %(slot)s AND number >= %(first)s AND {FREE}
        ORDER BY number LIMIT %(party)s FOR UPDATE SKIP LOCKED) free
    WHERE slot_id = slot AND number = place RETURNING number
"""
_LEFT: Final = f"SELECT count(*) FROM booking_place WHERE slot_id = %(slot)s AND {FREE}"
# One who waits keeps one place from the others, a family as many as it is, not a whole slot.
_WANTED: Final = f"""
    (SELECT coalesce(sum(w.party), 0)::integer FROM booking_slot s JOIN booking_wait w ON {FITS}
        WHERE s.id = %(slot)s AND {OFFERABLE})
    - (SELECT count(*) FROM booking_place k WHERE k.slot_id = %(slot)s AND k.kept)
"""
_GIVE: Final = f"""
    UPDATE booking_place SET booking_id = NULL, kept = kind <> 'walk_in' AND {_WANTED} > 0
    WHERE booking_id = %(booking)s AND slot_id = %(slot)s RETURNING kept
"""
_KEEP: Final = f"""
    UPDATE booking_place SET kept = true FROM (
        SELECT slot_id AS slot, number AS place FROM booking_place
        WHERE slot_id = %(slot)s AND booking_id IS NULL AND NOT kept AND kind <> 'walk_in'
        ORDER BY number LIMIT greatest(0, {_WANTED}) FOR UPDATE SKIP LOCKED) free
    WHERE slot_id = slot AND number = place RETURNING kept
"""
_SWAP: Final = """
    UPDATE booking_place SET booking_id = CASE WHEN number = ANY(%(numbers)s) THEN %(booking)s END
    WHERE slot_id = %(slot)s AND (booking_id = %(booking)s OR number = ANY(%(numbers)s))
"""
_KEEP_AGAIN: Final = """
    UPDATE booking_place SET kept = true WHERE slot_id = %s AND number = ANY(%s) AND booking_id IS NULL
"""
_LET_GO: Final = "UPDATE booking_place SET kept = false WHERE slot_id = %s AND number = ANY(%s)"
_KEPT: Final = """
    SELECT number FROM booking_place WHERE slot_id = %s AND kept AND kind = ANY(%s)
    ORDER BY number FOR UPDATE SKIP LOCKED
"""
_OF_QUEUE: Final = """
    s.site_id = %(site)s AND s.starts_at >= %(first)s AND s.starts_at < %(last)s AND s.closed_at IS NULL
    AND NOT s.urgent AND p.kind = 'walk_in' AND (%(item)s = '' OR s.item_id = %(item)s)
    AND (s.group_id = %(group)s OR (s.item_id = ANY(%(items)s)
        AND NOT EXISTS (SELECT 1 FROM booking_window_group g WHERE g.id = s.group_id)))
"""
"""The places kept for those who walk in, in the slots `s` of a day that a window group serves."""
_WALK_IN: Final = f"""
    UPDATE booking_place SET ticket_id = %(ticket)s FROM (
        SELECT p.slot_id AS slot, p.number AS place FROM booking_slot s JOIN booking_place p ON p.slot_id = s.id
        WHERE {_OF_QUEUE} AND s.ends_at > %(now)s AND p.ticket_id IS NULL
        ORDER BY s.starts_at, s.id, p.number LIMIT 1 FOR UPDATE OF p SKIP LOCKED) free
    WHERE slot_id = slot AND number = place RETURNING slot_id
"""
_ARE_PLANNED: Final = f"""
    SELECT EXISTS (SELECT 1 FROM booking_slot s JOIN booking_place p ON p.slot_id = s.id WHERE {_OF_QUEUE})
"""
_WALK_OUT: Final = "UPDATE booking_place SET ticket_id = NULL WHERE ticket_id = %s"
_IN_LINE: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 4712))"
OFFERS: Final = "booking.offer_places"
"""The chore that offers what was kept."""


def first_place(capacity: int) -> int:
    """Where somebody begins to look for a free place: chance spreads the crowd, it decides nothing."""
    return random.randint(1, capacity) if capacity > SMALL else 1


def take(u: Unit, booking_id: str, slot_id: str, party: int, kinds: list[str], *, already: int = 0) -> bool:
    """Take the places still missing; whether all were found. The caller rolls back when they were not.

    A place locked by somebody who may still step back is waited for.
    """
    missing, asked = party - already, {"booking": booking_id, "slot": slot_id, "kinds": kinds, "first": 1}
    for pause in WAITS_S:
        if pause:
            clock.sleep(pause)
        missing -= len(lean.execute(u.session, TAKE, {**asked, "party": missing}).fetchall())
        if missing == 0:
            return True
        left = lean.execute(u.session, _LEFT, asked).fetchone()
        if left is None or left[0] < missing:
            return False
    return False


def take_exactly(u: Unit, booking_id: str, slot_id: str, numbers: list[int]) -> None:
    """Change the places of a booking for these, which the caller has locked free before it took any."""
    if len(numbers) > 1:
        lean.execute(u.session, _SWAP, {"booking": booking_id, "slot": slot_id, "numbers": numbers})


def stand_in_line(u: Unit, slot_id: str, party: int) -> None:
    """Let families who want the same slot take one after the other: two that each got half would both get nothing."""
    if party > 1:
        lean.execute(u.session, _IN_LINE, (slot_id,))


def give_back(u: Unit, booking_id: str, slot_id: str) -> None:
    """Free the places of a booking in a slot; they are kept for those who wait for them."""
    asked = {"booking": booking_id, "slot": slot_id, "now": clock.now()}
    _wake(u, lean.execute(u.session, _GIVE, asked).fetchall())


def keep_new(u: Unit, slot_id: str) -> None:
    """New places of a slot are kept for those who wait, one for each, before anybody else sees them."""
    _wake(u, lean.execute(u.session, _KEEP, {"slot": slot_id, "now": clock.now()}).fetchall())


def kept_in(u: Unit, slot_id: str, kinds: list[str]) -> list[int]:
    """Numbers of the places of these kinds kept in a slot, locked; what somebody else has locked is left out."""
    return [number for (number,) in lean.execute(u.session, _KEPT, (slot_id, kinds))]


def let_go(u: Unit, slot_id: str, numbers: list[int]) -> None:
    """These places are no longer kept."""
    lean.execute(u.session, _LET_GO, (slot_id, numbers))


def queue_of(group: WindowGroupRow, item_id: str) -> dict[str, Any]:
    """Where a queue number stands: in a window group, for an item where one was named that the group handles."""
    item = item_id if item_id in group.item_ids else ""
    return {"site": group.site_id, "group": group.id, "items": group.item_ids, "item": item}


def walk_in(u: Unit, ticket_id: str, queue: Mapping[str, Any]) -> bool:
    """Let a queue number take the earliest place of today that is kept for walk-ins; whether there was one.

    `queue` says where: site, group, the group's items, and the item asked for (or ""). Whoever asks holds the
    counter of the group's numbers, so nobody of the same queue is passed over because another steps back.
    """
    asked = {**queue, **_today(), "ticket": ticket_id}
    return lean.execute(u.session, _WALK_IN, asked).fetchone() is not None


def are_walk_ins_planned(u: Unit, queue: Mapping[str, Any]) -> bool:
    """Whether today's slots keep any places for walk-ins; where they keep none, nobody counts them."""
    found = lean.execute(u.session, _ARE_PLANNED, {**queue, **_today()}).fetchone()
    return bool(found and found[0])


def walk_out(u: Unit, ticket_id: str) -> None:
    """The place of somebody who left before being served is free for the next who walks in."""
    lean.execute(u.session, _WALK_OUT, (ticket_id,))


def keep_again(u: Unit, slot_id: str, numbers: list[int]) -> None:
    """Of the places just let go, keep those that nobody took; their rows are still locked."""
    lean.execute(u.session, _KEEP_AGAIN, (slot_id, numbers))


def spare_kept(u: Unit, slot_id: str, party: int, kinds: list[str]) -> None:
    """Let go of as many kept places as a party lacks: for somebody who comes before all who wait, and takes at once."""
    left = lean.execute(u.session, _LEFT, {"slot": slot_id, "kinds": kinds}).fetchone()
    missing = party - (left[0] if left else 0)
    if missing > 0:
        let_go(u, slot_id, kept_in(u, slot_id, ["open", *kinds])[:missing])


def wake_offers() -> None:
    """Let the offers go out soon."""
    worker.wake(OFFERS)


def _today() -> dict[str, Any]:
    first = clock.start_of_day(clock.today())
    return {"first": first, "last": first + timedelta(days=1), "now": clock.now()}


def _wake(u: Unit, freed: list[tuple[bool]]) -> None:
    if any(kept for (kept,) in freed):
        u.after_commit(wake_offers)
