"""What can be asked of releases: by everybody, by those who entered, by those who plan."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select

from backend.booking.machine import ENTRY, RELEASE
from backend.booking.models import EntryRow, PlaceRow, ReleaseRow, SiteRow, SlotRow
from backend.booking.problems import ReleaseNotReady, ReleaseUnknown
from backend.booking.questions import site_view
from backend.booking.releases.views import EntryView, ReleaseView
from backend.booking.services.lateness import is_late
from backend.booking.services.releasing import CALLED_OFF, CLOSED, DRAW, OPENED, QUEUE, turn_of
from backend.kernel import clock
from backend.kernel.problems import NotYours, Problem
from backend.runtime import paging
from backend.store.unit import Unit

SHOWN_FOR: Final = timedelta(days=60)
"""How long after its entries a release is listed; its record stays as long as the release."""
MOST_ENTRIES: Final = 50
_IN_LINE: Final = ("entered", "queued", "served")
_SETTLED: Final = ("won", "lost")


def releases_for(
    u: Unit, item_id: str, *, after: str | None = None, limit: int = 20
) -> list[ReleaseView]:  # fmt: skip
    """Releases of an item, the newest first; those long over are left out."""
    recent = ReleaseRow.entries_until > clock.now() - SHOWN_FOR
    return _listed(u, _releases().where(ReleaseRow.item_id == item_id, recent), after, limit)


def releases_at(u: Unit, site_id: str, *, after: str | None = None, limit: int = 20) -> list[ReleaseView]:
    """All releases of a site, the newest first."""
    return _listed(u, _releases().where(ReleaseRow.site_id == site_id), after, limit)


def release_of(u: Unit, release_id: str) -> ReleaseView:
    """One release. Raises ReleaseUnknown."""
    row = u.session.execute(_releases().where(ReleaseRow.id == release_id)).one_or_none()
    if row is None:
        raise ReleaseUnknown
    return _release_view(*row)


def record_of(u: Unit, release_id: str) -> dict[str, Any]:
    """What anybody may check: entries, places, seed, value, order, winners. Raises ReleaseUnknown, ReleaseNotReady."""
    row = u.get(ReleaseRow, release_id)
    if row is None:
        raise ReleaseUnknown
    if row.record is None:
        raise ReleaseNotReady("报名截止之后公布。")
    return row.record


def entry_of(u: Unit, release_id: str, person_id: str) -> EntryView:
    """A person's own entry. Raises NotYours."""
    found = u.session.execute(_entries(person_id).where(EntryRow.release_id == release_id)).one_or_none()
    if found is None:
        raise NotYours
    return _entry_view(u, *found)


def entry_by_id(u: Unit, entry_id: str, person_id: str) -> EntryView:
    """A person's own entry, by its id. Raises NotYours."""
    found = u.session.execute(_entries(person_id).where(EntryRow.id == entry_id)).one_or_none()
    if found is None:
        raise NotYours
    return _entry_view(u, *found)


def entries_of(u: Unit, person_id: str) -> list[EntryView]:
    """A person's latest entries, newest first."""
    found = u.session.execute(_entries(person_id).order_by(EntryRow.id.desc()).limit(MOST_ENTRIES))
    return [_entry_view(u, *row) for row in found]


def _releases() -> Select[ReleaseRow, SiteRow, int, int, int]:
    slots = select(func.count()).where(SlotRow.release_id == ReleaseRow.id).scalar_subquery()
    places = (
        select(func.count())
        .select_from(PlaceRow)
        .join(SlotRow, SlotRow.id == PlaceRow.slot_id)
        .where(SlotRow.release_id == ReleaseRow.id, PlaceRow.booking_id.is_(None), PlaceRow.kind != "walk_in")
        .scalar_subquery()
    )
    entries = (
        select(func.count())
        .where(EntryRow.release_id == ReleaseRow.id, EntryRow.state != "withdrawn")
        .scalar_subquery()
    )
    query = select(ReleaseRow, SiteRow, slots, places, entries)
    return query.join(SiteRow, SiteRow.id == ReleaseRow.site_id)


def _listed(
    u: Unit, query: Select[ReleaseRow, SiteRow, int, int, int], after: str | None, limit: int
) -> list[ReleaseView]:  # fmt: skip
    found = u.session.execute(paging.newest_first(query, ReleaseRow.id, after, limit))
    return [_release_view(*row) for row in found]


def _release_view(row: ReleaseRow, site: SiteRow, slots: int, places: int, entries: int) -> ReleaseView:
    return ReleaseView(
        id=row.id,
        site=site_view(site),
        item_id=row.item_id,
        subject=row.subject,
        mode=row.mode,
        state=row.state,
        state_label=RELEASE.label(row.state),
        entries_from=row.entries_from,
        entries_until=row.entries_until,
        opens_at=row.opens_at,
        batch=row.batch,
        commitment=row.commitment.hex(),
        seed=row.revealed_seed,
        public_source=row.public_source,
        public_value_at=row.public_value_at,
        public_value=row.public_value,
        called_off_why=row.called_off_why,
        late=is_late(row),
        value_proposed=row.proposed_value is not None,
        drawing=row.mode == DRAW and row.state == CLOSED and row.revealed_seed is not None,
        slots=slots,
        places=places,
        entries=entries,
    )


def _entries(person_id: str) -> Select[EntryRow, ReleaseRow]:
    query = select(EntryRow, ReleaseRow).join(ReleaseRow, ReleaseRow.id == EntryRow.release_id)
    return query.where(EntryRow.person_id == person_id)


def _entry_view(u: Unit, row: EntryRow, release: ReleaseRow) -> EntryView:
    in_line = release.mode == QUEUE and release.state in (CLOSED, OPENED) and row.state in _IN_LINE
    turn_at = turn_of(row.rank, release.opens_at, release.batch) if in_line and row.rank is not None else None
    return EntryView(
        id=row.id,
        release_id=release.id,
        item_id=release.item_id,
        subject=release.subject,
        mode=release.mode,
        state=row.state,
        state_label=ENTRY.label(row.state),
        case_id=row.case_id,
        wishes=tuple(row.wishes),
        party=row.party,
        entered_at=row.entered_at,
        opens_at=release.opens_at,
        rank=row.rank,
        ahead=_ahead(u, row) if turn_at is not None and row.state != "served" else None,
        may_book_from=turn_at,
        may_book_now=turn_at is not None and turn_at <= clock.now(),
        booking_id=row.booking_id,
        why=row.why if row.state in _SETTLED else "",
        why_label=_why(row, release),
    )


def _why(row: EntryRow, release: ReleaseRow) -> str:
    """In words, why it was passed over; or why the whole release was called off."""
    if row.state == CALLED_OFF:
        return release.called_off_why
    return _titles().get(row.why, "") if row.state in _SETTLED else ""


def _ahead(u: Unit, row: EntryRow) -> int:
    query = select(func.count()).where(
        EntryRow.release_id == row.release_id,
        EntryRow.rank < row.rank,
        EntryRow.state.in_(("entered", "queued")),
    )
    return u.session.scalar(query) or 0


def _titles() -> dict[str, str]:
    """What each kind of problem says to citizens."""
    return {kind.slug: kind.title for kind in Problem.all()}
