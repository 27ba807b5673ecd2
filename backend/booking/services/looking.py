"""Looks at a slot before anything is done with it: slot, site, rules and person in one statement.

From here to the end of the unit the person's bookings hold still (an advisory lock), and so does the slot's row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from backend import catalogue, people
from backend.booking.rules import Rules, rules_from
from backend.booking.services.taking import FREE
from backend.booking.views import Site
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store import lean
from backend.store.unit import Question, Unit

SITE: Final = (
    "site.id, site.name, site.kind, site.department_id, site.region_code, site.address, site.phone, site.hours, "
    "site.latitude::float8, site.longitude::float8"
)
"""The columns of a Site, in its order."""
GROUP: Final = "s.group_id, coalesce((SELECT name FROM booking_window_group WHERE id = s.group_id), '')"
"""The window group of a slot `s`, and its name."""
_STILL: Final = "pg_advisory_xact_lock(hashtextextended({key}, 4711))"
"""The bookings of a person, or of an ID number that nobody of the register has, hold still to the end of the unit."""
LOOK: Final = f"""
    SELECT {_STILL.format(key="%(person)s")}, s.item_id, s.subject, s.starts_at, s.ends_at,
        s.opens_at, s.closes_at, s.closed_at, s.capacity, s.cancel_before_hours, s.urgent, s.release_id,
        {SITE},
        whole.rules, own.rules,
        (SELECT count(*) FROM (SELECT 1 FROM booking_place
            WHERE slot_id = s.id AND {FREE.replace("%(kinds)s", "'{elder}'")} LIMIT %(party)s) AS few),
        {people.folded.STATE},
        (SELECT ARRAY[b.id, b.state] FROM booking_booking b WHERE b.person_id = %(person)s AND b.item_id = s.item_id
            AND b.subject = s.subject AND b.state IN ('held', 'confirmed', 'checked_in', 'called')),
        {catalogue.folded.PUBLISHED.format(item="s.item_id")},
        {GROUP}
    FROM booking_slot s JOIN booking_site site ON site.id = s.site_id
    LEFT JOIN booking_rule whole ON whole.site_id = s.site_id AND whole.item_id = ''
    LEFT JOIN booking_rule own ON own.site_id = s.site_id AND own.item_id = s.item_id
    WHERE s.id = %(slot)s FOR SHARE OF s
"""
"""Until the unit ends nobody closes the slot, opens it later or puts it under a release."""


@dataclass(slots=True)
class SlotSeen:
    """A slot as somebody saw it who wants to hold it."""

    id: str
    item_id: str
    subject: str
    starts_at: datetime
    ends_at: datetime
    opens_at: datetime | None
    closes_at: datetime
    closed_at: datetime | None
    capacity: int
    cancel_before_hours: float
    urgent: bool
    release_id: str | None
    site: Site
    rules: Rules
    free: int
    person_state: str | None
    live: list[str] | None
    """Id and state of the booking that the person has for the same item and subject."""
    version_id: str | None
    """The item's version that can be filed now."""
    group_id: str
    group_name: str

    @property
    def day(self) -> date:
        """The day of the slot in Shanghai."""
        return clock.day_of(self.starts_at)


def hold_still(u: Unit, keys: Iterable[str]) -> None:
    """Let the bookings of all of them hold still, as `look` does for one: in one order, so that nobody deadlocks."""
    for key in sorted(set(keys)):
        lean.execute(u.session, f"SELECT {_STILL.format(key='%s')}", (key,))


def question(slot_id: str, person_id: str, party: int = 1) -> Question:
    """What `look` asks: a window may let it travel with the claim of the request's key."""
    return LOOK, {"slot": slot_id, "person": person_id, "party": party}


def look(u: Unit, slot_id: str, person_id: str, party: int = 1) -> SlotSeen:
    """The slot, its site and rules; from here to the end of the unit the person's bookings hold still.

    Raises NotYours when there is no such slot.
    """
    row = u.ask(question(slot_id, person_id, party))
    if row is None:
        raise NotYours
    about = (*row[1:12], Site(*row[12:22]), rules_from(row[22], row[23]), *row[24:])
    return SlotSeen(slot_id, *about)
