"""Registers sites from data, and the first plan of each: afterwards the plan is the department's own."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from backend.booking.models import PatternRow, SiteRow, WindowGroupRow, WindowRow
from backend.booking.plan.fitting import fit
from backend.booking.plan.siting import degree
from backend.booking.plan.supply import site_locked
from backend.store.unit import Unit

_PLAN: Final = ("groups", "patterns")
_COORDINATES: Final = ("latitude", "longitude")


def load_sites(u: Unit, sites: Sequence[Mapping[str, Any]]) -> int:
    """Register the sites that are not there yet, each with its first plan; returns how many those were.

    A site that is there is the department's: nothing of it is touched, whatever the data says now.
    """
    fresh = [given for given in sites if u.get(SiteRow, given["id"]) is None]
    for given in fresh:
        u.add(SiteRow(**{name: _value(name, value) for name, value in given.items() if name not in _PLAN}))
        u.flush()
        _load_plan(u, given)
    return len(fresh)


def _load_plan(u: Unit, given: Mapping[str, Any]) -> None:
    site = site_locked(u, given["id"])
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


def _value(name: str, value: Any) -> Any:
    return degree(value) if name in _COORDINATES else value
