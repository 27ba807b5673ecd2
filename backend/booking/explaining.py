"""The rules of booking as a citizen reads them before booking: plain sentences, and the figures behind them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from backend.booking.models import PatternRow, ReleaseRow, SiteRow
from backend.booking.plan.supply import policy_of
from backend.booking.problems import NotBookable
from backend.booking.questions import spoken
from backend.booking.rules import Rules, Terms, terms_of
from backend.booking.services.releasing import ANNOUNCED, CLOSED, OPENED
from backend.booking.services.site_rules import rules_of
from backend.booking.urgent_reasons import URGENT_REASONS
from backend.booking.wording import say
from backend.catalogue import Policy
from backend.kernel import clock
from backend.kernel.problems import NotYours
from backend.store.unit import Unit

AT_ONCE: Final = "at_once"
_HOUR, _DAY = 60, 24 * 60


@dataclass(frozen=True, slots=True)
class Figures:
    """The rules as numbers. `level`: 1 a proven phone, 2 a verified identity. Percentages are of a slot's places.

    `case_needed`: None, "filing" (an own application) or "pre_review" (one that passed it). `cut_off_minutes` is
    None where booking ends with the lead, or when the slot begins.
    """

    per_day: int
    per_week: int
    per_month: int
    max_party: int
    open_days_ahead: int
    lead_days: int
    cut_off_minutes: int | None
    hold_minutes: int
    lapses_a_day: int
    cancel_before_minutes: int
    missed: int
    block_months: int
    level: int
    case_needed: str | None
    elder_percent: int
    elder_age: int
    elder_until_hours: int
    walk_in_percent: int
    early_minutes: int
    late_minutes: int
    offer_minutes: int
    offers_a_day: int


@dataclass(frozen=True, slots=True)
class ReleaseAhead:
    """Some slots are given out in order: entries until, open from."""

    release_id: str
    mode: str
    subject: str
    entries_from: datetime
    entries_until: datetime
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class RulesTold:
    """What a site asks of those who book an item.

    `modes`: how its places are given out at present: "at_once", and "queue" or "draw" where `releases` say so.
    `urgent_reasons` is empty where nothing is opened out of hours.
    """

    site_id: str
    item_id: str
    subjects: tuple[str, ...]
    says: tuple[str, ...]
    figures: Figures
    modes: tuple[str, ...]
    releases: tuple[ReleaseAhead, ...]
    urgent_reasons: dict[str, str]


def rules_told(u: Unit, site_id: str, item_id: str) -> RulesTold:
    """The rules of a site for an item. Raises NotYours (no such site), NotBookable (not booked, or not there)."""
    site = u.get(SiteRow, site_id)
    if site is None:
        raise NotYours
    policy = policy_of(u, item_id)
    if policy is None or policy.booking is None or item_id not in site.item_ids:
        raise NotBookable("这个办事点没有可以预约的这件事，请换一个办事点。")
    rules = rules_of(u, site_id, item_id)
    terms = terms_of(rules, policy.booking)
    releases = tuple(_releases(u, site_id, item_id))
    urgent = URGENT_REASONS if _opens_out_of_hours(u, site_id, item_id) else {}
    says = (
        *_who(rules, policy), *_when(rules, terms), *_how_often(rules), *_places(rules, releases),
        *_afterwards(rules, terms),
    )  # fmt: skip
    if urgent:
        says = (*says, say("rules", "urgent", reasons="、".join(urgent.values())))
    return RulesTold(
        site_id, item_id, policy.booking_subjects, says, _figures(rules, terms, policy),
        (AT_ONCE, *sorted({one.mode for one in releases})), releases, dict(urgent),
    )  # fmt: skip


def span(minutes: int) -> str:
    """So many minutes in the largest whole unit: 2 小时."""
    for unit, length in (("days", _DAY), ("hours", _HOUR)):
        if minutes and minutes % length == 0:
            return say("span", unit, count=minutes // length)
    return say("span", "minutes", count=minutes)


def _who(rules: Rules, policy: Policy) -> Iterator[str]:
    yield say("rules", f"level_{rules.level}")
    yield say("rules", f"case_{policy.booking_after or 'none'}")
    yield say("rules", "party" if rules.max_party > 1 else "party_alone", people=rules.max_party)


def _when(rules: Rules, terms: Terms) -> Iterator[str]:
    yield say("rules", "ahead", days=terms.open_days_ahead + terms.lead_days)
    yield say("rules", "lead" if terms.lead_days else "same_day", days=terms.lead_days)
    if terms.cut_off_minutes:
        yield say("rules", "cut_off", before=span(terms.cut_off_minutes))
    yield say("rules", "hold", minutes=rules.hold_minutes)


def _how_often(rules: Rules) -> Iterator[str]:
    yield say("rules", "times", day=rules.per_day, week=rules.per_week, month=rules.per_month)
    yield say("rules", "lapses", times=rules.lapses_a_day)


def _places(rules: Rules, releases: tuple[ReleaseAhead, ...]) -> Iterator[str]:
    yield say("rules", "release_at_once")
    for one in releases:
        if clock.now() < one.entries_until:
            until, opens = spoken(one.entries_until), spoken(one.opens_at)
            yield say("rules", f"release_{one.mode}", until=until, opens=opens)
    if rules.elder_percent:
        before = span(rules.elder_until_hours * _HOUR)
        yield say("rules", "elder", percent=rules.elder_percent, age=rules.elder_age, before=before)
    if rules.walk_in_percent:
        yield say("rules", "walk_in", percent=rules.walk_in_percent)
    yield say("rules", "wait", minutes=rules.offer_minutes, times=rules.offers_a_day)


def _afterwards(rules: Rules, terms: Terms) -> Iterator[str]:
    before = terms.cancel_before_minutes
    yield say("rules", "cancel" if before else "cancel_any", before=span(before))
    yield say("rules", "arrive", early=span(rules.early_minutes), late=span(rules.late_minutes))
    if rules.block_months:
        yield say("rules", "missed", months=rules.block_months, times=rules.missed)


def _figures(rules: Rules, terms: Terms, policy: Policy) -> Figures:
    return Figures(
        per_day=rules.per_day, per_week=rules.per_week, per_month=rules.per_month, max_party=rules.max_party,
        open_days_ahead=terms.open_days_ahead, lead_days=terms.lead_days, cut_off_minutes=terms.cut_off_minutes,
        hold_minutes=rules.hold_minutes, lapses_a_day=rules.lapses_a_day,
        cancel_before_minutes=terms.cancel_before_minutes, missed=rules.missed, block_months=rules.block_months,
        level=rules.level, case_needed=policy.booking_after, elder_percent=rules.elder_percent,
        elder_age=rules.elder_age, elder_until_hours=rules.elder_until_hours,
        walk_in_percent=rules.walk_in_percent, early_minutes=rules.early_minutes,
        late_minutes=rules.late_minutes, offer_minutes=rules.offer_minutes, offers_a_day=rules.offers_a_day,
    )  # fmt: skip


def _releases(u: Unit, site_id: str, item_id: str) -> Iterator[ReleaseAhead]:
    query = select(ReleaseRow).where(
        ReleaseRow.site_id == site_id, ReleaseRow.item_id == item_id,
        ReleaseRow.state.in_((ANNOUNCED, CLOSED, OPENED)),
    )  # fmt: skip
    for row in u.session.scalars(query.order_by(ReleaseRow.opens_at, ReleaseRow.id)):
        yield ReleaseAhead(
            row.id, row.mode, row.subject, row.entries_from, row.entries_until, row.opens_at
        )  # fmt: skip


def _opens_out_of_hours(u: Unit, site_id: str, item_id: str) -> bool:
    query = select(PatternRow.id).where(
        PatternRow.site_id == site_id, PatternRow.item_id == item_id, PatternRow.urgent,
        PatternRow.withdrawn_at.is_(None),
    )  # fmt: skip
    return u.session.scalars(query).first() is not None
