"""How the places of a site were used, as a workbook or as CSV: one line a day for each item, window group or kind.

What people have written (names of groups and items) is never taken for a formula by the program that opens it.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Font
from sqlalchemy import select

from backend.booking.models import SiteRow, WindowGroupRow
from backend.booking.plan.use_views import Use
from backend.booking.plan.utilisation import KINDS, Books, counted, kind_use, use_of
from backend.kernel.problems import NotYours
from backend.store.unit import Unit

_USE: Final = (
    "可约名额",
    "现场名额",
    "已约",
    "空余",
    "办结",
    "未到场",
    "未办离开",
    "临近取消",
    "预约率%",
    "办结率%",
)
_KIND_WORDS: Final = {"open": "所有人", "elder": "老年人", "walk_in": "现场"}
_RISKY: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
Line = Sequence[Any]
Names = dict[str, str]


def utilisation_csv(u: Unit, site_id: str, first: date, last: date, by: str) -> bytes:
    """One table as CSV for Excel (UTF-8 with its mark). Raises NotYours, InvalidInput for an impossible span."""
    written = io.StringIO()
    heads, lines = _tables(u, site_id, first, last)[by]
    rows = csv.writer(written)
    rows.writerow(heads)
    rows.writerows([_harmless(one) for one in line] for line in lines)
    return written.getvalue().encode("utf-8-sig")


def utilisation_book(u: Unit, site_id: str, first: date, last: date) -> bytes:
    """All tables as a workbook. Raises NotYours, InvalidInput for an impossible span."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for by, (heads, lines) in _tables(u, site_id, first, last).items():
        sheet = book.create_sheet(_TABLES[by][0])
        sheet.append(list(heads))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for line in lines:
            sheet.append(list(line))
            for cell in sheet[sheet.max_row]:
                if isinstance(cell.value, str):
                    cell.data_type = "s"
                    cell.quotePrefix = cell.value.startswith(_RISKY)
        sheet.freeze_panes = "A2"
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _tables(u: Unit, site_id: str, first: date, last: date) -> dict[str, tuple[Sequence[str], list[Line]]]:
    books, names = counted(u, site_id, first, last), _names(u, site_id)
    place = names[site_id]
    return {
        by: (("日期", "办事点", *heads), [(day.isoformat(), place, *rest) for day, *rest in lines(books, names)])
        for by, (_title, heads, lines) in _TABLES.items()
    }  # fmt: skip


def _names(u: Unit, site_id: str) -> Names:
    site = u.get(SiteRow, site_id)
    if site is None:
        raise NotYours
    groups = u.session.scalars(select(WindowGroupRow).where(WindowGroupRow.site_id == site_id))
    return {"": "", site_id: site.name, **{one.id: f"{one.letter} {one.name}" for one in groups}}


def _by_day(books: Books, _names: Names) -> Iterable[Line]:
    lines = books.lines_of(lambda one: one.day)
    for day in books.dates:
        yield day, *_shown(use_of(lines.get(day, ()))), books.came(day), books.waited(day)


def _by_item(books: Books, _names: Names) -> Iterable[Line]:
    for (day, item_id), lines in books.lines_of(lambda one: (one.day, one.item_id)).items():
        yield day, item_id, *_shown(use_of(lines)), books.waited(day, item_id)


def _by_group(books: Books, names: Names) -> Iterable[Line]:
    lines = books.lines_of(lambda one: (one.day, one.group_id))
    came = {(day, group_id) for day, group_id, _ in books.walk_ins}
    for day, group_id in sorted(lines.keys() | came):
        use = use_of(lines.get((day, group_id), ()))
        yield day, names.get(group_id, group_id), *_shown(use), books.came(day, group_id)


def _by_kind(books: Books, names: Names) -> Iterable[Line]:
    lines = books.lines_of(lambda one: (one.day, one.group_id, KINDS.index(one.kind)))
    for (day, group_id, kind), found in sorted(lines.items()):
        use = kind_use(KINDS[kind], found)
        words = names.get(group_id, group_id), _KIND_WORDS[use.kind]
        yield day, *words, use.places, use.taken, use.served, use.missed, use.left


_Lines = Callable[[Books, Names], Iterable[Line]]
_TABLES: Final[dict[str, tuple[str, Sequence[str], _Lines]]] = {
    "day": ("按日", (*_USE, "现场取号", "候补人数"), _by_day),
    "item": ("按事项", ("事项编号", *_USE, "候补人数"), _by_item),
    "group": ("按窗口组", ("窗口组", *_USE, "现场取号"), _by_group),
    "kind": ("按名额", ("窗口组", "名额", "名额数", "已用", "办结", "未到场", "未办离开"), _by_kind),
}


def _shown(use: Use) -> Line:
    return (
        use.places, use.walk_in, use.taken, use.free, use.served, use.missed, use.left, use.cancelled_late,
        use.taken_percent, use.served_percent,
    )  # fmt: skip


def _harmless(value: Any) -> Any:
    """A sign before what a spreadsheet would run: it is shown as text then."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value
