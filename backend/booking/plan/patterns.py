"""The department plans a site: window groups and windows, weekly patterns, and the rules of booking.

Every change locks the site's row, so that two planners who want the same hours are told of each other, and is
written into the journal of the site. A pattern is never edited: a changed one is withdrawn and a new one added.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import or_, select

from backend.booking.models import (
    DayRow,
    PatternRow,
    ReleaseRow,
    RuleRow,
    SiteRow,
    WindowGroupRow,
    WindowRow,
)
from backend.booking.plan.fitting import fit, horizons, out_of_plan, trim
from backend.booking.plan.problems import DrawUnderWay, PatternOverlaps
from backend.booking.plan.rota import overlap
from backend.booking.plan.supply import site_locked
from backend.booking.plan.views import (
    DayView,
    Fitted,
    GroupView,
    HoursChange,
    KeptSlot,
    PatternChange,
    PatternView,
    PatternWish,
    Plan,
    RulesChange,
    RulesView,
    WindowView,
)
from backend.booking.plan.wishes import Ground, faults_of, require_hours
from backend.booking.rules import rules_from
from backend.booking.services.releasing import ANNOUNCED, CLOSED, DRAW
from backend.kernel import clock, ids
from backend.kernel.problems import FieldError, InvalidInput, NotYours
from backend.store.unit import Actor, Unit


def plan_of(u: Unit, site_id: str) -> Plan:
    """The plan of a site as it stands. Raises NotYours when there is none."""
    site = _site(u, site_id)
    days = select(DayRow).where(DayRow.site_id == site_id, DayRow.day >= clock.today())
    rules = select(RuleRow).where(RuleRow.site_id == site_id).order_by(RuleRow.item_id)
    return Plan(
        site.id, site.name, site.address, site.phone, _degrees(site.latitude), _degrees(site.longitude),
        site.hours, tuple(site.item_ids), groups_of(u, site_id),
        tuple(pattern_view(row) for row in patterns_of(u, site_id)),
        tuple(day_view(row) for row in u.session.scalars(days.order_by(DayRow.day))),
        tuple(RulesView(row.item_id, row.rules) for row in u.session.scalars(rules)),
    )  # fmt: skip


def add_pattern(u: Unit, site_id: str, wish: PatternWish, by: Actor) -> PatternChange:
    """Add a weekly pattern and open its slots. Raises NotYours, InvalidInput, PatternOverlaps."""
    site = site_locked(u, site_id)
    row = _added(u, site, wish, by)
    return PatternChange(pattern_view(row), fit(u, site, {row.item_id}))


def change_pattern(u: Unit, site_id: str, pattern_id: str, wish: PatternWish, by: Actor) -> PatternChange:
    """Put a new pattern in the place of another. Raises NotYours, InvalidInput, PatternOverlaps."""
    site = site_locked(u, site_id)
    old = withdrawn(u, site, pattern_id, by)
    row = _added(u, site, wish, by)
    return PatternChange(pattern_view(row), fit(u, site, {old.item_id, row.item_id}))


def withdraw_pattern(u: Unit, site_id: str, pattern_id: str, by: Actor) -> Fitted:
    """Take a pattern out of the plan; slots with appointments stay and are named. Raises NotYours."""
    site = site_locked(u, site_id)
    return fit(u, site, {withdrawn(u, site, pattern_id, by).item_id})


def mismatches(u: Unit, site_id: str) -> tuple[KeptSlot, ...]:
    """Coming slots that stay, booked or under a release, though the plan wants them otherwise or no more."""
    return out_of_plan(u, _site(u, site_id))


def put_hours(u: Unit, site_id: str, hours: Sequence[Sequence[str]], by: Actor) -> HoursChange:
    """Set the opening hours of a site, by which items without patterns go. Raises NotYours, InvalidInput."""
    site = site_locked(u, site_id)
    require_hours(hours, at_least=0)
    set_hours(u, site, hours, by)
    return HoursChange(site.hours, fit(u, site))


def put_rules(u: Unit, site_id: str, item_id: str, rules: Mapping[str, Any], by: Actor) -> RulesChange:
    """Set the rules of a site for an item, or for all (`item_id` empty).

    Raises NotYours, InvalidInput, DrawUnderWay, and pydantic.ValidationError for what is no rule: the windows
    read them as rules.Rules before.
    """
    site = site_locked(u, site_id)
    if item_id and item_id not in site.item_ids:
        raise InvalidInput(errors=[_fault("item_id", "本办事点不办理这个事项")])
    items = {item_id} if item_id else set(site.item_ids)
    before = horizons(u, site, items)
    write_rules(u, site, {item_id: rules}, by)
    trimmed = trim(u, site, before)
    return RulesChange(RulesView(item_id, dict(rules)), trimmed + fit(u, site, items))


def set_hours(u: Unit, site: SiteRow, hours: Sequence[Sequence[str]], by: Actor) -> None:
    """Write opening hours that have no faults; the site's row is locked."""
    site.hours, site.hours_set_at = [list(span) for span in hours], clock.now()
    u.flush()
    u.note(site.id, site.id, "hours_set", by=by, facts={"hours": site.hours})


def write_rules(u: Unit, site: SiteRow, given: Mapping[str, Mapping[str, Any] | None], by: Actor) -> None:
    """Write rules by item, and drop those that are None; the site's row is locked.

    Raises InvalidInput (quotas above the whole), DrawUnderWay.
    """
    for item_id, rules in given.items():
        _require_no_draw(u, site, item_id)
        row = u.get(RuleRow, (site.id, item_id), lock=True)
        if row is None and rules is not None:
            u.add(RuleRow(site_id=site.id, item_id=item_id, rules=dict(rules), changed_at=clock.now()))
        elif row is not None and rules is not None:
            row.rules, row.changed_at = dict(rules), clock.now()
        elif row is not None:
            u.session.delete(row)
        u.note(site.id, site.id, "rules_set", by=by, facts={"item": item_id, "rules": dict(rules or {})})
    u.flush()
    _require_quotas(u, site)


def added(u: Unit, site: SiteRow, wish: PatternWish, by: Actor) -> PatternRow:
    """Write a pattern that has no faults; the site's row is locked. Raises PatternOverlaps."""
    row = PatternRow(
        id=ids.new_id("pt"), site_id=site.id, **{**asdict(wish), "weekdays": sorted(wish.weekdays)}
    )
    require_no_overlap(row, patterns_of(u, site.id))
    u.add(row)
    u.flush()
    u.note(site.id, row.id, "pattern_added", by=by, facts={"item": row.item_id})
    return row


def withdrawn(u: Unit, site: SiteRow, pattern_id: str, by: Actor) -> PatternRow:
    """Withdraw a pattern; the site's row is locked. Raises NotYours."""
    row = u.get(PatternRow, pattern_id, lock=True)
    if row is None or row.site_id != site.id or row.withdrawn_at is not None:
        raise NotYours
    row.withdrawn_at = clock.now()
    u.flush()
    u.note(site.id, row.id, "pattern_withdrawn", by=by, facts={"item": row.item_id})
    return row


def require_no_overlap(row: PatternRow, others: Iterable[PatternRow]) -> None:
    """Raises PatternOverlaps, which names the other pattern."""
    for other in others:
        if overlap(row, other):
            raise PatternOverlaps(
                f"与每周{_weekdays(other)} {other.opens}–{other.closes} 的计划重叠。", pattern_id=other.id
            )


def patterns_of(u: Unit, site_id: str) -> list[PatternRow]:
    """Patterns of a site that are in force or will be, by item and time."""
    query = select(PatternRow).where(
        PatternRow.site_id == site_id, PatternRow.withdrawn_at.is_(None),
        or_(PatternRow.valid_to.is_(None), PatternRow.valid_to >= clock.today()),
    )  # fmt: skip
    order = (PatternRow.item_id, PatternRow.subject, PatternRow.group_id, PatternRow.opens, PatternRow.id)
    return list(u.session.scalars(query.order_by(*order)))


def groups_of(u: Unit, site_id: str) -> tuple[GroupView, ...]:
    """Window groups of a site with their windows, by letter."""
    windows = u.session.scalars(
        select(WindowRow).where(WindowRow.site_id == site_id).order_by(WindowRow.number)
    ).all()
    groups = select(WindowGroupRow).where(WindowGroupRow.site_id == site_id).order_by(WindowGroupRow.letter)
    return tuple(
        GroupView(
            group.id, group.letter, group.name, tuple(group.item_ids),
            tuple(
                WindowView(one.number, one.booked_first, one.open, one.id)
                for one in windows
                if one.group_id == group.id
            ),
        )
        for group in u.session.scalars(groups)
    )  # fmt: skip


def pattern_view(row: PatternRow) -> PatternView:
    values = {one.name: getattr(row, one.name) for one in fields(PatternView)}
    return PatternView(**{**values, "weekdays": tuple(row.weekdays)})


def day_view(row: DayRow) -> DayView:
    return DayView(row.day, row.kind, row.hours, row.reason)


def _site(u: Unit, site_id: str) -> SiteRow:
    row = u.get(SiteRow, site_id)
    if row is None:
        raise NotYours
    return row


def _added(u: Unit, site: SiteRow, wish: PatternWish, by: Actor) -> PatternRow:
    if faults := faults_of(u, Ground.of(u, site), wish):
        raise InvalidInput(errors=faults)
    return added(u, site, wish, by)


def _require_no_draw(u: Unit, site: SiteRow, item_id: str) -> None:
    """From the end of entries to the result the rules stand: what was drawn is handed out by them.

    A draw that is still announced is looked at too: if it is closing at this moment, we wait for it.
    """
    draws = select(ReleaseRow).where(
        ReleaseRow.site_id == site.id, ReleaseRow.mode == DRAW, ReleaseRow.state.in_((ANNOUNCED, CLOSED))
    )
    if item_id:
        draws = draws.where(ReleaseRow.item_id == item_id)
    query = draws.order_by(ReleaseRow.id).with_for_update(read=True).execution_options(populate_existing=True)
    for row in u.session.scalars(query).all():
        if row.state == CLOSED:
            raise DrawUnderWay(release_id=row.id)


def _require_quotas(u: Unit, site: SiteRow) -> None:
    """The parts of a slot that are kept for some must not be more than the whole."""
    kept = {
        row.item_id: row.rules for row in u.session.scalars(select(RuleRow).where(RuleRow.site_id == site.id))
    }
    for item_id in kept:
        rules = rules_from(kept.get(""), kept[item_id])
        if rules.elder_percent + rules.walk_in_percent > 100:
            says = "老年人名额与现场名额合计不能超过 100%"
            raise InvalidInput(errors=[_fault("rules.elder_percent", says)])


def _weekdays(row: PatternRow) -> str:
    return "、".join("一二三四五六日"[int(day) - 1] for day in row.weekdays)


def _degrees(value: Any) -> str | None:
    return None if value is None else str(value)


def _fault(field: str, message: str) -> FieldError:
    return FieldError(field=field, message=message)
