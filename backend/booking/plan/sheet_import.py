"""Takes the whole plan of a site from a workbook, all or nothing: what is as it stands is not touched.

In each part that the workbook speaks of, what is named stays or is added and the rest goes. Whatever cannot be done
for another reason than the workbook (a window that serves, a draw under way) is a finding as well.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from backend.booking.closing.closures import close_day, set_hours, unset_day
from backend.booking.hall.problems import LetterInUse
from backend.booking.models import SiteRow, WindowGroupRow
from backend.booking.plan import sheets
from backend.booking.plan.fitting import fit, horizons, trim
from backend.booking.plan.patterns import added, groups_of, plan_of, withdrawn, write_rules
from backend.booking.plan.patterns import set_hours as set_site_hours
from backend.booking.plan.problems import DrawUnderWay, NotThisDay, PatternOverlaps, WindowInUse
from backend.booking.plan.rota import CLOSED
from backend.booking.plan.sheet_faults import Asked, as_it_stands, asked_of, faults_in, is_over, key_of
from backend.booking.plan.supply import site_locked
from backend.booking.plan.views import Closing, DayChange, Fitted, PatternWish, Plan, PlanChange
from backend.booking.plan.windows import set_groups, take_away_groups
from backend.booking.plan.workbook import Finding, Table, read_book, refusal
from backend.booking.rules import Rules
from backend.kernel import clock
from backend.kernel.problems import InvalidInput, Problem
from backend.store.unit import Actor, Unit

_IN_THE_WAY: Final[Mapping[type[Problem], str]] = {
    WindowInUse: sheets.WINDOWS,
    LetterInUse: sheets.GROUPS,
    DrawUnderWay: sheets.RULES,
    PatternOverlaps: sheets.PATTERNS,
    NotThisDay: sheets.DAYS,
    InvalidInput: sheets.RULES,
}
"""What may stand in the way of a plan without faults, and the sheet that asks for it."""


def export_plan(u: Unit, site_id: str) -> bytes:
    """The plan of a site as an Excel workbook."""
    return sheets.write_sheet(plan_of(u, site_id))


def import_plan(u: Unit, site_id: str, packed: bytes, by: Actor) -> PlanChange:
    """Make the plan of a workbook that of a site.

    Raises NotYours, PlanRefused (every fault by sheet, row and column).
    """
    tables, findings = read_book(packed, sheets.COLUMNS)
    site = site_locked(u, site_id)
    plan = plan_of(u, site_id)
    asked = asked_of(plan, tables)
    if not any(one.sheet == sheets.GROUPS for one in findings):  # whatever names a group needs all of them
        findings += faults_in(u, site, plan, tables, asked)
    if findings:
        raise refusal(findings)
    try:
        return _Taking(u, site, plan, as_it_stands(plan), asked, by).all()
    except tuple(_IN_THE_WAY) as problem:
        raise _as_finding(problem, tables) from problem


class _Taking:
    """One plan being taken over, part by part."""

    def __init__(self, u: Unit, site: SiteRow, plan: Plan, standing: Asked, asked: Asked, by: Actor) -> None:
        self.u, self.site, self.plan, self.standing, self.asked, self.by = u, site, plan, standing, asked, by
        self.items: set[str] = set()
        self.left_out: list[WindowGroupRow] = []

    def all(self) -> PlanChange:
        """Days come first: whoever must leave a closed one is counted before a pattern takes its slots away."""
        before = horizons(self.u, self.site, self.site.item_ids)
        hours, windows = self._hours(), self._windows()
        days = self._days()
        fresh, gone, same = self._patterns()
        rules = self._rules()
        fitted = sum((one.fitted for one in days), Fitted())
        if rules:
            fitted += trim(self.u, self.site, before)
        fitted += fit(self.u, self.site, self.items)
        # A group goes when no pattern and no slot names it any more.
        take_away_groups(self.u, self.left_out)
        closing = sum((one.slots for one in days), Closing())
        return PlanChange(fresh, gone, same, fitted, len(days), rules, hours, windows, closing)

    def _hours(self) -> bool:
        if self.asked.hours == self.standing.hours:
            return False
        set_site_hours(self.u, self.site, self.asked.hours, self.by)
        self.items |= set(self.site.item_ids)
        return True

    def _windows(self) -> bool:
        wanted = sorted(self.asked.groups, key=lambda one: one.letter)
        if wanted == sorted(self.standing.groups, key=lambda one: one.letter):
            return False
        self.left_out = set_groups(self.u, self.site, wanted, self.by)
        return True

    def _days(self) -> list[DayChange]:
        u, site_id, by, today = self.u, self.site.id, self.by, clock.today()
        wanted = {day: one for day, one in self.asked.days.items() if day >= today}
        gone = [unset_day(u, site_id, day, by) for day in sorted(self.standing.days.keys() - wanted.keys())]
        set_now = list[DayChange]()
        for day, one in sorted(wanted.items()):
            if self.standing.days.get(day) == one:
                continue
            if one.kind == CLOSED:
                set_now.append(close_day(u, site_id, day, one.reason, by))
            else:
                set_now.append(set_hours(u, site_id, day, one.hours, one.reason, by, one.kind))
        return gone + set_now

    def _patterns(self) -> tuple[int, int, int]:
        """How many were added, withdrawn, and left as they were."""
        letters = {one.letter: one.id for one in groups_of(self.u, self.site.id)}
        wanted = {key_of(wish): wish for wish in self.asked.patterns}
        there = {
            key_of(wish): one.id for wish, one in zip(self.standing.patterns, self.plan.patterns, strict=True)
        }
        gone = [pattern_id for key, pattern_id in there.items() if key not in wanted]
        fresh = [wish for key, wish in wanted.items() if key not in there and not is_over(wish)]
        # What goes makes room before anything new comes.
        self.items |= {withdrawn(self.u, self.site, one, self.by).item_id for one in gone}
        self.items |= {added(self.u, self.site, _named(wish, letters), self.by).item_id for wish in fresh}
        return len(fresh), len(gone), len(there) - len(gone)

    def _rules(self) -> int:
        """How many were changed."""
        standing = self.standing.rules
        given = {
            item_id: Rules(**rules).model_dump(exclude_unset=True)
            for item_id, rules in self.asked.rules.items()
        }
        changed = {key: rules for key, rules in given.items() if rules != standing.get(key)}
        dropped = dict.fromkeys(standing.keys() - given.keys())
        if changed or dropped:
            write_rules(self.u, self.site, {**changed, **dropped}, self.by)
            for item_id in changed.keys() | dropped.keys():
                self.items |= {item_id} if item_id else set(self.site.item_ids)
        return len(changed) + len(dropped)


def _named(wish: PatternWish, letters: Mapping[str, str]) -> PatternWish:
    return replace(wish, group_id=letters[wish.group_id]) if wish.group_id else wish


def _as_finding(problem: Problem, tables: Mapping[str, Table]) -> Problem:
    """What stands in the way, with the row that asks for it where it is known."""
    title = next(sheet for kind, sheet in _IN_THE_WAY.items() if isinstance(problem, kind))
    errors = problem.errors if isinstance(problem, InvalidInput) else ()
    says = next((one["message"] for one in errors), problem.detail or problem.title)
    return refusal([Finding(title, _row(problem, tables.get(title)), "A", says)])


def _row(problem: Problem, table: Table | None) -> int:
    wanted = {name: problem.extra[name] for name in ("letter", "number", "window") if name in problem.extra}
    number = wanted.pop("window", None)
    wanted |= {} if number is None else {"number": number}
    rows = table.rows if table is not None and wanted else ()
    found = (row.number for row in rows if all(row.values.get(key) == value for key, value in wanted.items()))
    return next(found, 0)
