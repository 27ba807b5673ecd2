"""What others ask the register. A version's content never changes, so it is kept in the process once read.

Which version is the published one is asked of the database every time: one cheap look-up, never stale.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from sqlalchemy import select

from backend.catalogue import given
from backend.catalogue.machine import DRAFT, PUBLISHED, VERSION
from backend.catalogue.models import DepartmentRow, ItemRow, RegionRow, VersionRow
from backend.catalogue.problems import (
    DepartmentUnknown,
    ItemNotPublished,
    ItemUnknown,
    RegionUnknown,
    VersionUnknown,
)
from backend.catalogue.shaping import card_of, shape_version
from backend.catalogue.views import (
    Department,
    FindingView,
    ItemCard,
    ItemVersion,
    Region,
    Theme,
    VersionSummary,
)
from backend.catalogue.words import label
from backend.runtime.paging import DEFAULT_LIMIT, MAX_LIMIT, Page, keys_of
from backend.runtime.paging import cursor as cursor_of
from backend.store import lean
from backend.store.unit import Unit

V = TypeVar("V")
KEPT: Final = 4096


class _Kept(Generic[V]):
    """The last few things read that can never change; safe between threads."""

    def __init__(self, most: int) -> None:
        self._most, self._lock, self._things = most, threading.Lock(), OrderedDict[str, V]()

    def get(self, key: str, read: Callable[[], V]) -> V:
        with self._lock:
            if key in self._things:
                self._things.move_to_end(key)
                return self._things[key]
        thing = read()
        with self._lock:
            self._things[key] = thing
            if len(self._things) > self._most:
                self._things.popitem(last=False)
        return thing


_PUBLISHED: Final = "SELECT id FROM catalogue_item_version WHERE item_id = %s AND state = 'published'"
_versions = _Kept[ItemVersion](KEPT)


def version(u: Unit, version_id: str) -> ItemVersion:
    """A version by id, in whatever state it is now. Raises VersionUnknown."""
    return _versions.get(version_id, lambda: _read_version(u, version_id))


def published_version(u: Unit, item_id: str) -> ItemVersion:
    """The version that can be filed now (SH-09). Raises ItemUnknown, ItemNotPublished."""
    found = lean.execute(u.session, _PUBLISHED, (item_id,)).fetchone()
    if found is not None:
        return version(u, found[0])
    if u.get(ItemRow, item_id) is None:
        raise ItemUnknown
    raise ItemNotPublished


def version_once_published(u: Unit, item_id: str, number: int) -> ItemVersion:
    """A version that citizens have been able to see, in force or not. Raises ItemUnknown; drafts look absent."""
    query = select(VersionRow.id).where(
        VersionRow.item_id == item_id, VersionRow.number == number, VersionRow.published_at.is_not(None)
    )
    found = u.session.execute(query).scalar_one_or_none()
    if found is None:
        raise ItemUnknown
    return version(u, found)


def search_items(
    u: Unit, *, text: str = "", theme: str | None = None, department_id: str | None = None,
    region_id: str | None = None, cursor: str | None = None, limit: int = DEFAULT_LIMIT,
) -> Page[ItemCard]:  # fmt: skip
    """Published items whose names hold every word of `text`, by item id. Raises MalformedRequest (cursor)."""
    query = select(VersionRow.id, VersionRow.item_id).where(VersionRow.state == PUBLISHED)
    for word in text.lower().split():
        query = query.where(VersionRow.search_text.contains(word, autoescape=True))
    if theme is not None:
        query = query.where(VersionRow.themes.contains([theme]))
    if department_id is not None:
        query = query.where(VersionRow.department_id == department_id)
    if region_id is not None:
        around = _with_parents(u, region_id)
        query = query.where((VersionRow.region_ids == []) | VersionRow.region_ids.overlap(around))
    if (after := keys_of(cursor, 1)) is not None:
        query = query.where(VersionRow.item_id > str(after[0]))
    size = max(1, min(limit, MAX_LIMIT))
    rows = u.session.execute(query.order_by(VersionRow.item_id).limit(size + 1)).all()
    cards = tuple(card_of(version(u, row.id)) for row in rows[:size])
    return Page(cards, cursor_of(rows[size - 1].item_id) if len(rows) > size else None)


def versions_of(u: Unit, item_id: str) -> tuple[VersionSummary, ...]:
    """Every version of an item, the newest first. Raises ItemUnknown."""
    query = select(VersionRow).where(VersionRow.item_id == item_id).order_by(VersionRow.number.desc())
    rows = u.session.scalars(query).all()
    if not rows:
        raise ItemUnknown
    return tuple(_summary(row) for row in rows)


def drafts(
    u: Unit, *, department_id: str | None = None, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[VersionSummary]:
    """Drafts with their findings, by item id: what the owners of items still have to do."""
    query = select(VersionRow).where(VersionRow.state == DRAFT)
    if department_id is not None:
        query = query.where(VersionRow.department_id == department_id)
    if (after := keys_of(cursor, 1)) is not None:
        query = query.where(VersionRow.item_id > str(after[0]))
    size = max(1, min(limit, MAX_LIMIT))
    rows = u.session.scalars(query.order_by(VersionRow.item_id).limit(size + 1)).all()
    following = cursor_of(rows[size - 1].item_id) if len(rows) > size else None
    return Page(tuple(_summary(row) for row in rows[:size]), following)


def departments(u: Unit) -> tuple[Department, ...]:
    """All departments, by id."""
    rows = u.session.scalars(select(DepartmentRow).order_by(DepartmentRow.id))
    return tuple(_department(row) for row in rows)


def department(u: Unit, department_id: str) -> Department:
    """Raises DepartmentUnknown."""
    row = u.get(DepartmentRow, department_id)
    if row is None:
        raise DepartmentUnknown
    return _department(row)


def regions(u: Unit) -> tuple[Region, ...]:
    """The city, its counties and its functional zones, by code."""
    rows = u.session.scalars(select(RegionRow).order_by(RegionRow.id))
    return tuple(_region(row) for row in rows)


def region(u: Unit, region_id: str) -> Region:
    """Raises RegionUnknown."""
    row = u.get(RegionRow, region_id)
    if row is None:
        raise RegionUnknown
    return _region(row)


def themes() -> tuple[Theme, ...]:
    """Themes under which citizens look for items (BZ-36), in the order in which they are shown."""
    return tuple(Theme(row["code"], row["name"], tuple(row["audience"])) for row in given.theme_rows())


def _read_version(u: Unit, version_id: str) -> ItemVersion:
    row = u.get(VersionRow, version_id)
    if row is None:
        raise VersionUnknown
    name = department(u, row.department_id).name
    return shape_version(row.id, row.number, name, row.content)


def _with_parents(u: Unit, region_id: str) -> list[str]:
    found, up = [region_id], region(u, region_id).parent_id
    while up is not None and up not in found:
        found.append(up)
        row = u.get(RegionRow, up)
        up = row.parent_id if row is not None else None
    return found


def _summary(row: VersionRow) -> VersionSummary:
    return VersionSummary(
        id=row.id,
        item_id=row.item_id,
        number=row.number,
        name=row.name,
        department_id=row.department_id,
        state=row.state,
        state_label=VERSION.label(row.state),
        digest=row.digest.hex(),
        imported_at=row.imported_at,
        published_at=row.published_at,
        findings=tuple(_finding(told) for told in row.findings),
    )


def _finding(told: dict[str, object]) -> FindingView:
    field = str(told["field"])
    return FindingView(int(str(told["row"])), field, label(field), str(told["rule"]), str(told["message"]))


def _department(row: DepartmentRow) -> Department:
    return Department(
        id=row.id,
        name=row.successor_name or row.name,
        seed_name=row.name,
        aliases=tuple(row.aliases),
        category=row.category,
        region_id=row.region_id,
        roles=tuple(row.roles),
    )


def _region(row: RegionRow) -> Region:
    return Region(row.id, row.name, row.level, row.parent_id)
