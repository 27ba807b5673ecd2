"""Registers sites from data, and the first plan of each: afterwards the plan is the department's own."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select

from backend.booking.fitting import fit
from backend.booking.models import PatternRow, SiteRow, WindowGroupRow, WindowRow
from backend.booking.supply import site_locked
from backend.store.unit import Unit

_PLAN: Final = ("groups", "patterns")
_COORDINATES: Final = ("latitude", "longitude")


def load_sites(u: Unit, sites: Sequence[Mapping[str, Any]]) -> int:
    """Register sites from data; returns how many are new or changed. Repeating it changes nothing.

    Window groups and patterns are taken over only where a site has neither: what a department has planned stays.
    """
    changed = 0
    for given in sites:
        wanted = {name: _value(name, value) for name, value in given.items() if name not in _PLAN}
        row = u.get(SiteRow, wanted["id"])
        if row is None:
            u.add(SiteRow(**wanted))
            changed += 1
        elif differs := {name: value for name, value in wanted.items() if _is_ours(row, name, value)}:
            for name, value in differs.items():
                setattr(row, name, value)
            changed += 1
        u.flush()
        _load_plan(u, given)
    return changed


def _load_plan(u: Unit, given: Mapping[str, Any]) -> None:
    site = site_locked(u, given["id"])
    for kind in (WindowGroupRow, PatternRow):
        if u.session.scalars(select(kind.id).where(kind.site_id == site.id).limit(1)).first() is not None:
            return
    for group in given.get("groups", ()):
        windows = group["windows"]
        u.add(WindowGroupRow(site_id=site.id, **{k: v for k, v in group.items() if k != "windows"}))
        u.flush()
        for window in windows:
            u.add(WindowRow(site_id=site.id, group_id=group["id"], **window))
    for pattern in given.get("patterns", ()):
        days = {k: date.fromisoformat(v) for k, v in pattern.items() if k in ("valid_from", "valid_to")}
        u.add(PatternRow(site_id=site.id, **{**pattern, **days}))
    u.flush()
    fit(u, site, {pattern["item_id"] for pattern in given.get("patterns", ())})


def _is_ours(row: SiteRow, name: str, value: Any) -> bool:
    """Whether the data has another value, and the say: hours that the department has set stay."""
    return getattr(row, name) != value and not (name == "hours" and row.hours_set_at is not None)


def _value(name: str, value: Any) -> Any:
    return Decimal(str(value)).quantize(Decimal("0.000001")) if name in _COORDINATES else value
