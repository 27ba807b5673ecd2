"""Rules of booking as data, per site and item (STANDARDS §14); each default is the usual one in Chinese halls."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from backend.catalogue import BookingRule
from backend.kernel import clock

HOLD_MINUTES = 10
"""Long enough for elderly people on slow phones."""


class Rules(BaseModel):
    """What a site asks of those who book an item. Limits count appointments of a person, not of an account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hold_minutes: int = Field(HOLD_MINUTES, ge=2, le=10)
    per_day: int = Field(1, ge=1, le=20)
    per_week: int = Field(2, ge=1, le=50)
    per_month: int = Field(6, ge=1, le=200)
    lapses_a_day: int = Field(5, ge=1, le=100)
    """Holds of a person that may run out, or be given back, on one day: more of them is hoarding."""
    per_device: int = Field(6, ge=1, le=1000)
    """Live or kept appointments made from one device on one day: a family shares a phone, a tout many names."""
    per_network: int = Field(500, ge=50, le=100_000)
    """The same for all who call from one network address without naming their device.

    A hall's Wi-Fi and a carrier's shared address hide some hundred phones, and our own mini program always names
    the device: five hundred a day is out of reach for those who share one, and an end for a script.
    """
    max_party: int = Field(5, ge=1, le=20)
    missed: int = Field(2, ge=1, le=100)
    """Appointments missed within `block_months` that block the person for as long."""
    block_months: int = Field(3, ge=0, le=24)
    level: int = Field(2, ge=1, le=2)
    """Who may book: 1 whoever proved a phone, 2 whose identity the authority verified; there is no higher level."""
    elder_percent: int = Field(0, ge=0, le=100)
    elder_age: int = Field(60, ge=50, le=100)
    elder_until_hours: int = Field(24, ge=0, le=24 * 30)
    """Places of the elderly nobody took are everybody's from so many hours before."""
    walk_in_percent: int = Field(0, ge=0, le=100)
    walk_ins_beyond: bool = True
    """Whether those who walk in may queue when the places kept for them are gone."""
    early_minutes: int = Field(60, ge=0, le=24 * 60)
    late_minutes: int = Field(60, ge=0, le=24 * 60)
    """How long before and after the appointment one may check in."""
    offer_minutes: int = Field(30, ge=5, le=24 * 60)
    offers_a_day: int = Field(3, ge=1, le=3)
    offer_until_minutes: int = Field(60, ge=0, le=24 * 60)
    """Whoever waits is offered a place until so long before it begins, also when booking has closed by then."""
    gather_minutes: int = Field(120, ge=0, le=24 * 60)
    """How long the places freed in a slot gather for a family that waits, before they go to those behind it."""
    closure_hours: int = Field(24, ge=1, le=24 * 7)
    """How long a place offered for one on a closed day is held."""
    open_days_ahead: int | None = Field(None, ge=1, le=366)
    """So many working days beyond the lead are open for booking; None, here and below: as the item itself says."""
    lead_days: int | None = Field(None, ge=0, le=90)
    """One books so many days before the day of the slot at the latest; 0: still on the day itself."""
    cut_off_minutes: int | None = Field(None, ge=0, le=7 * 24 * 60)
    """Booking of a slot ends so many minutes before it begins, if its lead has not ended it before."""
    cancel_before_minutes: int | None = Field(None, ge=0, le=30 * 24 * 60)
    """One may cancel or move until so many minutes before the slot begins."""

    def offers_end(self, starts_at: datetime) -> datetime:
        """When the last offer of a place that begins then runs out."""
        return starts_at - timedelta(minutes=self.offer_until_minutes)


@dataclass(frozen=True, slots=True)
class Terms:
    """When the slots of an item at a site open, close, and may be given back; they are written into each slot."""

    open_days_ahead: int
    lead_days: int
    cut_off_minutes: int | None
    cancel_before_minutes: int

    @property
    def cancel_before_hours(self) -> float:
        return self.cancel_before_minutes / 60

    def closes_at(self, starts_at: datetime, *, urgent: bool) -> datetime:
        """Booked at the latest the evening before (lead of a day or more), or at the cut-off.

        An urgent visit knows no lead; whoever must come in for it hears of it some hours before.
        """
        usual = self.cancel_before_minutes if urgent else 0
        cut_off = starts_at - timedelta(
            minutes=usual if self.cut_off_minutes is None else self.cut_off_minutes
        )
        if urgent or not self.lead_days:
            return cut_off
        day = clock.day_of(starts_at) - timedelta(days=self.lead_days - 1)
        return min(cut_off, clock.start_of_day(day))


def terms_of(rules: Rules, item: BookingRule) -> Terms:
    """What the item says, and over it what the site says."""
    return Terms(
        _first(rules.open_days_ahead, item.open_days_ahead),
        _first(rules.lead_days, item.min_lead_days),
        rules.cut_off_minutes,
        _first(rules.cancel_before_minutes, item.cancel_before_hours * 60),
    )


DEFAULT: Final = Rules()
_read: dict[str, Rules] = {}
_MOST_KEPT = 1000


def kept_rule(name: str) -> str:
    """One rule for a slot `s`, in SQL: that for the item, else that of the whole site; null where neither is kept."""
    return (
        f"(SELECT (r.rules->>'{name}')::integer FROM booking_rule r WHERE r.site_id = s.site_id"
        f" AND r.item_id IN ('', s.item_id) AND r.rules->'{name}' IS NOT NULL ORDER BY r.item_id DESC LIMIT 1)"
    )


def rules_from(kept: Mapping[str, Any] | None, own: Mapping[str, Any] | None = None) -> Rules:
    """The site's rules, and over them those for the item. Raises pydantic.ValidationError for what is no rule."""
    merged = {**(kept or {}), **(own or {})}
    if not merged:
        return DEFAULT
    key = repr(sorted(merged.items()))
    if key not in _read:
        if len(_read) >= _MOST_KEPT:
            _read.clear()
        _read[key] = Rules(**merged)
    return _read[key]


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of the day's week."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def month_of(day: date) -> tuple[date, date]:
    """First and last day of the day's month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def months_before(at: datetime, months: int) -> datetime:
    """The same day so many months earlier, or the last of a shorter month."""
    return _shifted(at, -months)


def months_after(at: datetime, months: int) -> datetime:
    """The same day so many months later, or the last of a shorter month."""
    return _shifted(at, months)


def _shifted(at: datetime, months: int) -> datetime:
    count = at.year * 12 + at.month - 1 + months
    first = at.replace(year=count // 12, month=count % 12 + 1, day=1)
    return first.replace(day=min(at.day, month_of(first.date())[1].day))


def _first(own: int | None, usual: int) -> int:
    return usual if own is None else own
