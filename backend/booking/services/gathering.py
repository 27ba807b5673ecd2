"""Places that are freed one by one gather for a family, which needs several of one slot at once.

Who waits is asked in the order in which they came, families and single people in one line. The rule, so that neither
robs the other:

- Where enough places of one slot are free or kept, the family at the head of the line is offered them at once.
- Where fewer are kept (given back since it waits, or newly opened), they gather for it, and nobody behind it is
  offered this slot meanwhile: for `gather_minutes`, and never so long that those behind could not be asked any more.
  After that the slot goes on down the line; the family waits on for other slots.
- A family gathers once in a slot, and in one slot at a time: it never keeps more from the others than it lacks one
  of. Each time in vain makes the next one longer by as much again, up to a day: it is not passed by for ever.
- What passers-by can see free stays free to them; only what was freed gathers.
"""

from datetime import datetime, timedelta
from typing import Final

from backend.booking.rules import Rules
from backend.kernel import clock
from backend.store import lean
from backend.store.unit import Unit

LONGEST: Final = timedelta(days=1)
_BEFORE: Final = """
    SELECT count(*) FILTER (WHERE slot_id = %(slot)s), max(until) FILTER (WHERE slot_id = %(slot)s),
        count(*) FILTER (WHERE slot_id <> %(slot)s AND until > %(now)s), count(*)
    FROM booking_gathering WHERE wait_id = %(wait)s
"""
_BEGIN: Final = """
    INSERT INTO booking_gathering (wait_id, slot_id, until) VALUES (%(wait)s, %(slot)s, %(until)s)
    ON CONFLICT DO NOTHING
"""


def gathers(u: Unit, wait_id: str, slot_id: str, rules: Rules, starts_at: datetime, now: datetime) -> bool:
    """Whether what is kept in a slot still gathers for a family, or begins to; `now` is not at night."""
    asked = {"wait": wait_id, "slot": slot_id, "now": clock.now()}
    row = lean.execute(u.session, _BEFORE, asked).fetchone()
    assert row is not None
    here, until, elsewhere, before = row
    if here:
        return bool(until > now)
    end = _end(rules, starts_at, now, before)
    if elsewhere or end <= now:
        return False
    lean.execute(u.session, _BEGIN, {**asked, "until": end})
    return True


def _end(rules: Rules, starts_at: datetime, now: datetime, before: int) -> datetime:
    """Later each time, but early enough to ask two more people one after the other."""
    span = min(LONGEST, timedelta(minutes=rules.gather_minutes) * (1 + before))
    others = rules.offers_end(starts_at) - 2 * timedelta(minutes=rules.offer_minutes)
    return min(now + span, others)
