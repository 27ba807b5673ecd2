"""Whether somebody who has proved to own an appointment may check in here and now, and if not, what they do instead."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from backend.booking.hall.questions import window_number
from backend.booking.machine import BOOKING, CALLED, CHECKED_IN, CONFIRMED, HELD
from backend.booking.models import BookingRow, SiteRow, SlotRow, TicketRow, WindowGroupRow
from backend.booking.problems import AlreadyCheckedIn, WrongDayOrSite
from backend.booking.questions import spoken
from backend.booking.services.site_rules import rules_of
from backend.booking.wording import say
from backend.kernel import clock
from backend.kernel.problems import ImpossibleMove
from backend.store.unit import Unit

_IN_LINE: Final = ("waiting", "called")


def require_here(u: Unit, row: BookingRow, slot: SlotRow, site: SiteRow, site_id: str) -> None:
    """The right site and day, not long before or after the appointment, and not twice.

    Nothing of this is said to somebody who has not shown the code or the card. Raises WrongDayOrSite,
    AlreadyCheckedIn, ImpossibleMove.
    """
    at = spoken(slot.starts_at)
    if site.id != site_id:
        says = say("arrival", "other_site", site=site.name, address=site.address, at=at)
        raise _elsewhere("wrong-site", says, slot, site)
    if row.state in (CHECKED_IN, CALLED):
        raise _checked_in(u, row)
    if row.state != CONFIRMED:
        state = BOOKING.label(row.state)
        says = say("arrival", "unsure") if row.state == HELD else say("arrival", "ended", state=state)
        raise ImpossibleMove(says, state=row.state, trigger="checked_in")
    rules, now, day = rules_of(u, site_id, row.item_id), clock.now(), clock.day_of(slot.starts_at)
    since = slot.starts_at - timedelta(minutes=rules.early_minutes)
    until = slot.ends_at + timedelta(minutes=rules.late_minutes)
    if day != clock.today():
        key = "day_ahead" if day > clock.today() else "day_gone"
        raise _elsewhere(
            "wrong-day", say("arrival", key, at=at, since=_hour(since)), slot, site, since, until
        )
    if now < since:
        says = say("arrival", "too_early", at=at, since=_hour(since))
        raise _elsewhere("too-early", says, slot, site, since, until)
    if now > until:
        says = say("arrival", "too_late", at=at, until=_hour(until))
        raise _elsewhere("too-late", says, slot, site, since, until)


def not_at_this_site() -> WrongDayOrSite:
    """The refusal to a window that asks for another site's booking: nobody has proved anything, so it says no more."""
    return WrongDayOrSite(say("arrival", "not_here"), reason="wrong-site")


def _elsewhere(
    reason: str,
    says: str,
    slot: SlotRow,
    site: SiteRow,
    since: datetime | None = None,
    until: datetime | None = None,
) -> WrongDayOrSite:
    told = {name: at.isoformat() for name, at in (("since", since), ("until", until)) if at is not None}
    return WrongDayOrSite(
        says, reason=reason, site={"id": site.id, "name": site.name, "address": site.address},
        starts_at=slot.starts_at.isoformat(), ends_at=slot.ends_at.isoformat(), **told,
    )  # fmt: skip


def _checked_in(u: Unit, row: BookingRow) -> AlreadyCheckedIn:
    query = select(TicketRow).where(TicketRow.booking_id == row.id, TicketRow.state.in_(_IN_LINE))
    ticket = u.session.scalar(query)
    if ticket is None:
        return AlreadyCheckedIn(say("arrival", "no_number"), booking_id=row.id)
    window, group = window_number(u, ticket), u.session.get_one(WindowGroupRow, ticket.group_id)
    is_called = row.state == CALLED and window is not None
    says = say("arrival", "called" if is_called else "checked_in", label=ticket.label, window=window)
    told = {"booking_id": row.id, "ticket_id": ticket.id, "label": ticket.label, "group": group.name}
    return AlreadyCheckedIn(says, **told, window=window)


def _hour(at: datetime) -> str:
    return f"{clock.local(at):%H:%M}"
