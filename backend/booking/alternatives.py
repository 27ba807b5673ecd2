"""Other times for somebody who was refused one: the next that they can have, or a true word where there is none."""

from typing import Any, Final

from backend.booking.parties import FOR_ALL, FOR_ELDERS, Party
from backend.booking.questions import spoken
from backend.booking.wording import say
from backend.kernel import clock
from backend.store import lean
from backend.store.unit import Unit

ALTERNATIVES: Final = 3
_ROOM: Final = f"""
    FROM booking_slot s JOIN booking_site site ON site.id = s.site_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE p.kind = 'open' OR {FOR_ALL} OR {FOR_ELDERS}) AS free, count(*) AS any_kind
        FROM booking_place p
        WHERE p.slot_id = s.id AND p.booking_id IS NULL AND NOT p.kept AND p.kind <> 'walk_in') room
    WHERE s.item_id = %(item)s AND s.subject = %(subject)s AND s.closes_at > %(now)s AND s.closed_at IS NULL
        AND NOT s.urgent
"""
_NEXT_FREE: Final = f"""
    SELECT s.id, site.id, site.name, site.address, s.starts_at, s.ends_at, room.free {_ROOM}
        AND s.release_id IS NULL AND coalesce(s.opens_at, '-infinity') <= %(now)s
        AND (s.site_id = %(site)s) = %(here)s AND room.free >= %(party)s
    ORDER BY s.starts_at, s.id LIMIT %(most)s
"""
_NOT_YET: Final = f"""
    SELECT min(s.opens_at) FILTER (WHERE s.release_id IS NULL AND s.opens_at > %(now)s AND room.free >= %(party)s),
        bool_or(s.release_id IS NOT NULL AND room.free >= %(party)s),
        bool_or(room.free < %(party)s AND room.any_kind >= %(party)s), bool_or(room.free > 0) {_ROOM}
"""
"""Why free places are no alternatives: not open yet, given out in order, kept for the elderly, too few of a slot."""


def alternatives(
    u: Unit, item_id: str, subject: str, site_id: str, party: Party | None
) -> list[dict[str, Any]]:
    """The next slots with room for the party, at the same site first; None: for one of whom nothing is known."""
    asked = _asked(u, item_id, subject, site_id, party)
    found: list[Any] = []
    for here in (True, False):
        if wanted := ALTERNATIVES - len(found):
            found += lean.execute(u.session, _NEXT_FREE, {**asked, "here": here, "most": wanted}).fetchall()
    return [
        {
            "slot_id": slot_id, "site": {"id": site, "name": name, "address": address},
            "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat(), "free": free,
        }
        for slot_id, site, name, address, starts_at, ends_at, free in found
    ]  # fmt: skip


def why_none(u: Unit, item_id: str, subject: str, site_id: str, party: Party) -> str:
    """Where there are no alternatives: why, and what to do instead."""
    row = lean.execute(u.session, _NOT_YET, _asked(u, item_id, subject, site_id, party)).fetchone()
    opens_at, in_order, for_elders, too_few = row or (None, None, None, None)
    if opens_at is not None:
        return say("none", "soon", opens=spoken(opens_at))
    if in_order:
        return say("none", "release")
    if for_elders:
        return say("none", "elder")
    return say("none", "party", people=party.size) if too_few and party.size > 1 else say("none", "full")


def _asked(u: Unit, item_id: str, subject: str, site_id: str, party: Party | None) -> dict[str, Any]:
    return {
        "item": item_id, "subject": subject, "site": site_id, "now": clock.now(),
        "party": party.size if party else 1, "youngest": party.youngest(u) if party else 0,
    }  # fmt: skip
