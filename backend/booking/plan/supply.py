"""Where places come from: the plan of a site, turned into slots for the coming working days.

Opening only ever adds what is missing; what a changed plan does to slots that are open is said in `fitting`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from backend import catalogue
from backend.booking.models import DayRow, PatternRow, PlaceRow, SiteRow, SlotRow
from backend.booking.plan import rota
from backend.booking.plan.rota import Turn
from backend.booking.rules import Rules, Terms, terms_of
from backend.booking.services.site_rules import rules_of
from backend.booking.services.taking import keep_new
from backend.catalogue import BookingRule, Policy
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours
from backend.kernel.workdays import WorkCalendar, YearNotLoaded
from backend.store.unit import Unit

CHUNK: Final = 500
Key = tuple[str, str, datetime, bool]
"""Subject, window group, beginning, urgent: what makes a slot of an item at a site unique."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A slot as the plan wants it."""

    subject: str
    group_id: str
    pattern_id: str | None
    starts_at: datetime
    ends_at: datetime
    closes_at: datetime
    capacity: int
    urgent: bool
    cancel_before_hours: float

    @property
    def key(self) -> Key:
        return self.subject, self.group_id, self.starts_at, self.urgent


@dataclass(frozen=True, slots=True)
class Supply:
    """All that decides which slots a site has for an item."""

    site: SiteRow
    item_id: str
    rule: BookingRule
    subjects: tuple[str, ...]
    rules: Rules
    calendar: WorkCalendar
    patterns: Sequence[PatternRow]
    special: Mapping[date, DayRow]

    @property
    def terms(self) -> Terms:
        return terms_of(self.rules, self.rule)

    @property
    def planned_from(self) -> date | None:
        return rota.planned_from(self.patterns)

    def days_ahead(self) -> list[date]:
        """Every day up to the last working day that is open for booking, today left out.

        Stops where no calendar is loaded.
        """
        left, day, days = self.terms.open_days_ahead + self.terms.lead_days, clock.today(), list[date]()
        try:
            while left > 0:
                day += timedelta(days=1)
                left -= self.calendar.is_workday(day)
                days.append(day)
        except YearNotLoaded:
            pass
        return days

    def wanted(self, days: Iterable[date]) -> dict[Key, Wanted]:
        """The slots of these days; a day of a year without calendar has none."""
        found = (
            self._slot(turn, *span)
            for day in days
            for turn in self._turns(day)
            for span in rota.spans(day, turn)
        )
        return {one.key: one for one in found}

    def kinds(self, capacity: int) -> list[str]:
        """What the places of a slot are, in the order of their numbers; parts are rounded down.

        Places for the elderly come first, so that those they may take are not the ones everybody needs.
        """
        elder = capacity * self.rules.elder_percent // 100
        walk_in = capacity * self.rules.walk_in_percent // 100
        return ["elder"] * elder + ["open"] * (capacity - elder - walk_in) + ["walk_in"] * walk_in

    def _turns(self, day: date) -> list[Turn]:
        special, begun = self.special.get(day), self.planned_from
        try:
            turns = rota.turns_on(day, self.calendar, self.patterns, special)
            if begun is None or day < begun:
                turns += self._usual(rota.hours_on(day, self.calendar, self.site.hours, special))
        except YearNotLoaded:
            return []
        return turns

    def _usual(self, hours: rota.Hours) -> Iterator[Turn]:
        for opens, closes in hours:
            for subject in self.subjects:
                yield Turn(
                    opens, closes, self.rule.slot_minutes, self.rule.capacity_per_slot, subject, "", False, None
                )  # fmt: skip

    def _slot(self, turn: Turn, starts_at: datetime, ends_at: datetime) -> Wanted:
        terms = self.terms
        return Wanted(
            turn.subject, turn.group_id, turn.pattern_id, starts_at, ends_at,
            terms.closes_at(starts_at, urgent=turn.urgent), turn.capacity, turn.urgent,
            terms.cancel_before_hours,
        )  # fmt: skip


def open_slots(u: Unit) -> int:
    """Open the slots of the coming working days at every site; returns how many were opened."""
    sites = u.session.scalars(select(SiteRow.id).order_by(SiteRow.id)).all()
    return sum(open_at(u, site_locked(u, site_id)) for site_id in sites)


def open_at(u: Unit, site: SiteRow) -> int:
    """The same for one site, whose row is locked: nobody changes its plan meanwhile."""
    opened = 0
    for item_id in site.item_ids:
        if (supply := supply_of(u, site, item_id)) is not None:
            opened += open_missing(u, supply, supply.wanted(supply.days_ahead()))
    return opened


def site_locked(u: Unit, site_id: str) -> SiteRow:
    """A site whose plan nobody else changes until the end of the unit. Raises NotYours when there is none."""
    query = select(SiteRow).where(SiteRow.id == site_id).with_for_update(key_share=True)
    row = u.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotYours
    return row


def supply_of(u: Unit, site: SiteRow, item_id: str) -> Supply | None:
    """What decides the slots of an item at a site; None where the item is not booked."""
    policy = policy_of(u, item_id)
    if policy is None or policy.booking is None:
        return None
    patterns = select(PatternRow).where(PatternRow.site_id == site.id, PatternRow.item_id == item_id)
    special = select(DayRow).where(DayRow.site_id == site.id, DayRow.day >= clock.today())
    return Supply(
        site, item_id, policy.booking, policy.booking_subjects or ("",), rules_of(u, site.id, item_id),
        catalogue.calendar(u), u.session.scalars(patterns).all(), rota.by_day(u.session.scalars(special).all()),
    )  # fmt: skip


def policy_of(u: Unit, item_id: str) -> Policy | None:
    """The rules of an item that can be booked, None for any other."""
    try:
        policy = catalogue.published_version(u, item_id).policy
    except (catalogue.ItemNotPublished, catalogue.ItemUnknown):
        return None
    return policy if policy.bookable and policy.booking is not None else None


def open_missing(u: Unit, supply: Supply, wanted: Mapping[Key, Wanted]) -> int:
    """Open the wanted slots that are not there yet, each with its places; what exists is not touched."""
    if not wanted:
        return 0
    times = [one.starts_at for one in wanted.values()]
    query = select(SlotRow.subject, SlotRow.group_id, SlotRow.starts_at, SlotRow.urgent).where(
        SlotRow.site_id == supply.site.id, SlotRow.item_id == supply.item_id,
        SlotRow.starts_at.between(min(times), max(times)),
    )  # fmt: skip
    there = {tuple(row) for row in u.session.execute(query)}
    missing = [_columns(supply, one) for key, one in wanted.items() if key not in there]
    return sum(_open(u, supply, missing[n : n + CHUNK]) for n in range(0, len(missing), CHUNK))


def places_of(supply: Supply, slot_id: str, capacity: int) -> list[dict[str, Any]]:
    """The place rows of a slot."""
    return [
        {"slot_id": slot_id, "number": number, "kind": kind}
        for number, kind in enumerate(supply.kinds(capacity), start=1)
    ]


def _open(u: Unit, supply: Supply, slots: list[dict[str, Any]]) -> int:
    query = upsert(SlotRow).values(slots).on_conflict_do_nothing().returning(SlotRow.id, SlotRow.capacity)
    made = u.session.execute(query).all()
    if places := [place for slot_id, capacity in made for place in places_of(supply, slot_id, capacity)]:
        u.session.execute(insert(PlaceRow), places)
    for slot_id, _capacity in made:
        keep_new(u, slot_id)
    return len(made)


def _columns(supply: Supply, one: Wanted) -> dict[str, Any]:
    return {
        "id": ids.new_id("sl"), "site_id": supply.site.id, "item_id": supply.item_id, "subject": one.subject,
        "group_id": one.group_id, "pattern_id": one.pattern_id, "starts_at": one.starts_at,
        "ends_at": one.ends_at, "closes_at": one.closes_at, "capacity": one.capacity, "urgent": one.urgent,
        "cancel_before_hours": one.cancel_before_hours,
    }  # fmt: skip
