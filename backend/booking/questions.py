"""What can be asked of the booking office."""

from datetime import date, datetime, timedelta

from sqlalchemy import ScalarSelect, func, select, text, tuple_
from sqlalchemy.orm import Session, aliased

from backend.booking import codes, wording
from backend.booking.hall.books import HALL_BOOKS
from backend.booking.machine import BOOKING, CONFIRMED, HELD
from backend.booking.models import BookingRow, PlaceRow, SiteRow, SlotRow, WindowGroupRow
from backend.booking.naming import item_name
from backend.booking.parties import FOR_ALL
from backend.booking.plan.books import PLAN_BOOKS
from backend.booking.releases.books import RELEASE_BOOKS
from backend.booking.views import BookingView, Moving, Site, Slot
from backend.booking.waiting_books import WAITING_BOOKS
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store.unit import Unit

_SLOT = aliased(SlotRow, name="s")
_FOR_ALL = f"{FOR_ALL} AS for_all".replace("%(now)s", ":now")


def sites_for(u: Unit, item_id: str) -> list[Site]:
    """Sites that serve an item, by name."""
    rows = u.session.scalars(
        select(SiteRow).where(SiteRow.item_ids.contains([item_id])).order_by(SiteRow.name)
    )
    return [site_view(row) for row in rows]


def free_slots(
    u: Unit, item_id: str, *, site_id: str | None = None, day: date | None = None, subject: str | None = None,
    limit: int = 100, after: tuple[datetime, str] | None = None, closed: bool = False,
) -> list[Slot]:  # fmt: skip
    """Slots whose booking has not ended, soonest first, with the places left in each; not all are open to all.

    `after` are beginning and id of the last one seen. With `closed` also those that the site has closed: nothing is
    free in them.
    """
    s = _SLOT
    name = select(WindowGroupRow.name).where(WindowGroupRow.id == s.group_id).scalar_subquery()
    for_all = text(_FOR_ALL).bindparams(now=clock.now())
    query = select(s, _left("open"), _left("elder"), func.coalesce(name, ""), for_all).where(
        s.item_id == item_id, s.closes_at > clock.now()
    )
    if not closed:
        query = query.where(s.closed_at.is_(None))
    if after is not None:
        query = query.where(tuple_(s.starts_at, s.id) > tuple_(*after))
    if site_id is not None:
        query = query.where(s.site_id == site_id)
    if subject is not None:
        query = query.where(s.subject == subject)
    if day is not None:
        first = clock.start_of_day(day)
        query = query.where(s.starts_at >= first, s.starts_at < first + timedelta(days=1))
    rows = u.session.execute(query.order_by(s.starts_at, s.id).limit(limit))
    return [
        slot_view(row, left + elder, 0, group) if is_for_all else slot_view(row, left, elder, group)
        for row, left, elder, group, is_for_all in rows
    ]


def site_of(u: Unit, site_id: str) -> Site:
    """One site. Raises NotYours when there is none."""
    row = u.get(SiteRow, site_id)
    if row is None:
        raise NotYours
    return site_view(row)


def booking_of(u: Unit, booking_id: str, person_id: str) -> BookingView:
    """A person's own booking. Raises NotYours, also for one that does not exist."""
    row = u.get(BookingRow, booking_id)
    if row is None or row.person_id != person_id:
        raise NotYours
    return booking_view(u, row, owner=True)


def bookings_of(u: Unit, person_id: str, *, after: str | None = None, limit: int = 20) -> list[BookingView]:
    """A person's bookings, newest first; `after` is the id of the last one seen."""
    query = select(BookingRow).where(BookingRow.person_id == person_id)
    if after is not None:
        query = query.where(BookingRow.id < after)
    rows = u.session.scalars(query.order_by(BookingRow.id.desc()).limit(limit)).all()
    return [booking_view(u, row, owner=True) for row in rows]


def spoken(at: datetime) -> str:
    """A time as people say it: 11月25日09:30."""
    local = clock.local(at)
    return f"{local.month}月{local.day}日{local:%H:%M}"


_BROKEN_BOOKS = {
    "a place is held by a booking that is not live": """
        SELECT p.slot_id || '/' || p.number FROM booking_place p LEFT JOIN booking_booking b ON b.id = p.booking_id
        WHERE p.booking_id IS NOT NULL AND (b.id IS NULL OR p.slot_id NOT IN (b.slot_id, coalesce(b.moving_to, ''))
            OR b.state NOT IN ('held', 'confirmed', 'checked_in', 'called', 'served', 'missed', 'left'))""",
    "a live booking has not as many places as people": """
        SELECT b.id FROM booking_booking b LEFT JOIN booking_place p
            ON p.booking_id = b.id AND p.slot_id = b.slot_id
        WHERE b.state IN ('held', 'confirmed', 'checked_in', 'called') GROUP BY b.id, b.party
        HAVING count(p.booking_id) <> b.party""",
    "a booking that is being moved has not as many places there": """
        SELECT b.id FROM booking_booking b LEFT JOIN booking_place p
            ON p.booking_id = b.id AND p.slot_id = b.moving_to
        WHERE b.moving_to IS NOT NULL GROUP BY b.id, b.party HAVING count(p.booking_id) <> b.party""",
    "a reminder would come too late": """
        SELECT r.booking_id || '/' || r.kind FROM booking_reminder r JOIN booking_slot s ON s.id = r.slot_id
        WHERE r.not_after >= s.starts_at OR r.told_at >= r.not_after""",
    "a slot has more places than its capacity": """
        SELECT s.id FROM booking_slot s JOIN booking_place p ON p.slot_id = s.id
        GROUP BY s.id, s.capacity HAVING count(*) > s.capacity""",
}


def check_books(u: Unit) -> list[str]:
    """Everything that contradicts itself; empty when the books are in order."""
    return [
        f"booking: {fault}: {found}"
        for fault, query in (_BROKEN_BOOKS | HALL_BOOKS | PLAN_BOOKS | RELEASE_BOOKS | WAITING_BOOKS).items()
        for (found,) in u.session.execute(text(query))
    ]


def site_view(row: SiteRow) -> Site:
    north, east = (None if one is None else float(one) for one in (row.latitude, row.longitude))
    return Site(
        row.id, row.name, row.kind, row.department_id, row.region_code, row.address, row.phone, row.hours, north, east
    )  # fmt: skip


def slot_view(row: SlotRow, free: int, elder_free: int = 0, group: str = "") -> Slot:
    if row.closed_at is not None:
        free = elder_free = 0
    state = _state(row, free, elder_free)
    return Slot(
        row.id, row.site_id, row.item_id, row.subject, row.starts_at, row.ends_at, row.capacity, free,
        row.urgent, row.opens_at, row.release_id, elder_free, row.closes_at, row.closed_at is not None, row.closed_why,
        row.group_id, group, state, wording.say("day", state),
    )  # fmt: skip


def _state(row: SlotRow, free: int, elder_free: int) -> str:
    if row.closed_at is not None:
        return "closed"
    if row.release_id is not None:
        return "release"
    if row.opens_at is not None and row.opens_at > clock.now():
        return "soon"
    return "open" if free else "elder" if elder_free else "full"


def booking_view(u: Unit, row: BookingRow, *, owner: bool) -> BookingView:
    slot, site = slot_and_site(u.session, row.slot_id)
    shows_code = owner and row.state == CONFIRMED and slot.closed_at is None
    code = codes.code_of(row.id) if shows_code else None
    return BookingView(
        id=row.id,
        number=row.number,
        state=row.state,
        state_label=BOOKING.label(row.state),
        item_id=row.item_id,
        subject=row.subject,
        case_id=row.case_id,
        person_id=row.person_id,
        party=row.party,
        origin=row.origin,
        site=site_view(site),
        slot_id=slot.id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        held_until=row.held_until if row.state == HELD else None,
        check_in_code=code,
        cancel_until=slot.starts_at - timedelta(hours=slot.cancel_before_hours),
        closed=slot.closed_at is not None,
        closed_why=slot.closed_why if slot.closed_at is not None else "",
        moving=_moving(u, row),
        item_name=item_name(u, row.item_id),
        check_in_text=codes.text_of(row.number, code) if code else None,
        code_until=codes.changes_at() if code else None,
        displaced_why=_displaced_why(u, row),
        cancelled_why=row.cancelled_why,
        group_id=slot.group_id,
        group_name=_group_name(u, slot),
    )


def _group_name(u: Unit, slot: SlotRow) -> str:
    group = u.get(WindowGroupRow, slot.group_id) if slot.group_id else None
    return group.name if group is not None else ""


def _moving(u: Unit, row: BookingRow) -> Moving | None:
    if row.moving_to is None or row.moving_until is None:
        return None
    target, site = slot_and_site(u.session, row.moving_to)
    return Moving(target.id, site_view(site), target.starts_at, target.ends_at, row.moving_until)


def _displaced_why(u: Unit, row: BookingRow) -> str:
    """Why the time was closed that the booking had before it was moved."""
    if row.displaced_from is None or row.displaced_from == row.slot_id:
        return ""
    slot = u.get(SlotRow, row.displaced_from)
    return slot.closed_why if slot is not None else ""


def _left(kind: str) -> ScalarSelect[int]:
    mine = select(func.count()).where(PlaceRow.slot_id == _SLOT.id, PlaceRow.kind == kind)
    return mine.where(PlaceRow.booking_id.is_(None), PlaceRow.kept.is_(False)).scalar_subquery()


def slot_and_site(session: Session, slot_id: str) -> tuple[SlotRow, SiteRow]:
    slot = session.get_one(SlotRow, slot_id)
    return slot, session.get_one(SiteRow, slot.site_id)
