"""Refusals of a slot in words: what is the matter with it, and which other times there are.

Only who is refused pays for them: none of this is asked before.
"""

from typing import Any

from backend.booking.alternatives import alternatives, why_none
from backend.booking.models import SlotRow
from backend.booking.parties import Party
from backend.booking.problems import HoldLapsed, SlotClosed, SlotTaken
from backend.booking.questions import spoken
from backend.booking.wording import say
from backend.kernel import clock
from backend.store.unit import Unit


def slot_taken(u: Unit, slot_id: str, party: Party) -> SlotTaken:
    """Not enough places are left for the party."""
    slot = u.session.get_one(SlotRow, slot_id)
    others = _others(u, slot, party)
    return SlotTaken(
        None if others else why_none(u, slot.item_id, slot.subject, slot.site_id, party), alternatives=others
    )


def slot_closed(u: Unit, slot_id: str, party: Party) -> SlotClosed:
    """Closed by the site, over, too near, or not open yet: `reason` is which, the detail says it."""
    slot, now = u.session.get_one(SlotRow, slot_id), clock.now()
    others = _others(u, slot, party)
    if slot.closed_at is not None:
        why = slot.closed_why.rstrip("。")
        says = say("shut", "closed", why=why) if why else say("shut", "closed_plain")
        return SlotClosed(says, reason="closed", closed_why=slot.closed_why, alternatives=others)
    if slot.ends_at <= now or slot.starts_at <= now:
        says = say("shut", "past" if slot.ends_at <= now else "begun", at=spoken(slot.starts_at))
        return SlotClosed(says, reason="past", alternatives=others)
    if slot.closes_at <= now:
        closes_at = slot.closes_at.isoformat()
        says = say("shut", "too_near", since=spoken(slot.closes_at))
        return SlotClosed(says, reason="too-near", closes_at=closes_at, alternatives=others)
    opens_at = slot.opens_at or now
    says = say("shut", "soon", opens=spoken(opens_at))
    return SlotClosed(says, reason="not-open-yet", opens_at=opens_at.isoformat(), alternatives=others)


def hold_lapsed(u: Unit, slot_id: str, party: Party) -> HoldLapsed:
    """What was held was not confirmed in time; the same slot may be among those that can be had."""
    slot = u.session.get_one(SlotRow, slot_id)
    others = _others(u, slot, party)
    return HoldLapsed(
        None if others else why_none(u, slot.item_id, slot.subject, slot.site_id, party), alternatives=others
    )


def _others(u: Unit, slot: SlotRow, party: Party) -> list[dict[str, Any]]:
    return alternatives(u, slot.item_id, slot.subject, slot.site_id, party)
