"""What is wrong with a wished plan: every fault by its field, so that a form or a sheet can show them all at once."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from backend.booking.models import SiteRow, WindowGroupRow
from backend.booking.plan.supply import policy_of
from backend.booking.plan.views import GroupWish, PatternWish
from backend.catalogue import Policy
from backend.kernel import clock
from backend.kernel.problems import FieldError, InvalidInput
from backend.store.unit import Unit

SHORTEST, LONGEST = 5, 8 * 60
MOST_PLACES: Final = 5000
MOST_WINDOWS: Final = 200
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_LETTER: Final = re.compile(r"[A-Z]")


@dataclass(slots=True)
class Ground:
    """What wished patterns are measured by: what the site handles, its window groups, and how items are booked."""

    site: SiteRow
    groups: Mapping[str, Collection[str]]
    """The items of each group, by whatever names it in the wishes."""
    policies: dict[str, Policy | None] = field(default_factory=dict)

    @classmethod
    def of(cls, u: Unit, site: SiteRow) -> "Ground":
        """As it stands."""
        query = select(WindowGroupRow).where(WindowGroupRow.site_id == site.id)
        return cls(site, {row.id: row.item_ids for row in u.session.scalars(query)})

    def policy(self, u: Unit, item_id: str) -> Policy | None:
        """The rules of an item that is booked, looked up once."""
        if item_id not in self.policies:
            self.policies[item_id] = policy_of(u, item_id)
        return self.policies[item_id]


def faults_of(u: Unit, ground: Ground, wish: PatternWish) -> list[FieldError]:
    """Everything that is wrong with a wished pattern, apart from overlapping another."""
    found = [*_of_item(u, ground, wish), *_of_times(wish), *_of_numbers(wish)]
    return [FieldError(field=field, message=message) for field, message in found]


def hours_faults(hours: Sequence[Sequence[str]]) -> dict[int, str]:
    """What is wrong with opening hours, which stand in their order and apart from each other: by their place."""
    faults, before = dict[int, str](), ""
    for place, span in enumerate(hours):
        if len(span) != 2 or not all(map(is_time, span)):
            faults[place] = '应为 ["09:00", "12:00"] 这样的起止时间'
        elif span[0] >= span[1] or span[0] < before:
            faults[place] = "结束应晚于开始，各段应按先后、不重叠"
        else:
            before = span[1]
    return faults


def require_hours(hours: Sequence[Sequence[str]], *, at_least: int = 1) -> None:
    """Raises InvalidInput for impossible opening hours, or too few of them."""
    errors = [
        FieldError(field=f"hours.{place}", message=message) for place, message in hours_faults(hours).items()
    ]
    if errors or len(hours) < at_least:
        raise InvalidInput(errors=errors or [FieldError(field="hours", message="请填写当天的开放时间")])


def require_groups(site: SiteRow, groups: Sequence[GroupWish]) -> None:
    """Raises InvalidInput for window groups with faults."""
    if faults := group_faults(site, groups):
        raise InvalidInput(
            errors=[FieldError(field=f"groups.{n}.{field}", message=says) for n, field, says in faults]
        )


def group_faults(site: SiteRow, groups: Sequence[GroupWish]) -> list[tuple[int, str, str]]:
    """Letters, names and window numbers occur once, items are the site's: place, field and what is wrong."""
    faults, numbers = list[tuple[int, str, str]](), set[int]()
    for place, group in enumerate(groups):
        others = groups[:place]
        wrong = {
            "letter": not _LETTER.fullmatch(group.letter) or group.letter in [one.letter for one in others],
            "name": not group.name or group.name in [one.name for one in others],
            "item_ids": not group.item_ids or not set(group.item_ids) <= set(site.item_ids),
            "windows": _clash(group, numbers),
        }
        faults += [(place, field, _GROUP_SAYS[field]) for field, is_wrong in wrong.items() if is_wrong]
    return faults


def is_time(text: str) -> bool:
    """Whether this is a time of day as "HH:MM"."""
    return _TIME.fullmatch(text) is not None


_GROUP_SAYS: Final = {
    "letter": "应为一个大写字母，且不能重复",
    "name": "请填写名称，且不能重复",
    "item_ids": "请选择本办事点办理的事项",
    "windows": "窗口号应为 1 到 999，且在办事点内不能重复",
}


def _clash(group: GroupWish, numbers: set[int]) -> bool:
    """Whether a number of the group is impossible or known; its numbers are known afterwards."""
    own = [window.number for window in group.windows]
    clash = len(set(own)) < len(own) or bool(numbers & set(own)) or not all(1 <= one <= 999 for one in own)
    numbers |= set(own)
    return clash or len(numbers) > MOST_WINDOWS


def _of_item(u: Unit, ground: Ground, wish: PatternWish) -> Iterator[tuple[str, str]]:
    policy = ground.policy(u, wish.item_id)
    if wish.item_id not in ground.site.item_ids:
        yield "item_id", "本办事点不办理这个事项"
    elif policy is None:
        yield "item_id", "这个事项没有发布，或不需要预约"
    elif wish.subject not in (policy.booking_subjects or ("",)):
        known = "、".join(policy.booking_subjects)
        yield "subject", f"应为：{known}" if known else "这个事项不分科目，请留空"
    if wish.group_id and wish.item_id not in ground.groups.get(wish.group_id, ()):
        yield "group_id", "没有这个窗口组，或它不办理这个事项"


def _of_times(wish: PatternWish) -> Iterator[tuple[str, str]]:
    right = True
    for name, time in (("opens", wish.opens), ("closes", wish.closes)):
        if not is_time(time):
            right = False
            yield name, "应为 00:00 到 23:59 的时间，例如 09:00"
    if not right:
        return
    length = _minutes(wish.closes) - _minutes(wish.opens)
    if length <= 0:
        yield "closes", "结束时间应晚于开始时间"
    elif wish.slot_minutes > length:
        yield "slot_minutes", f"每个时段不能长于开放的 {length} 分钟"


def _of_numbers(wish: PatternWish) -> Iterator[tuple[str, str]]:
    days = wish.weekdays
    if not days or len(set(days)) < len(days) or not all(1 <= day <= 7 for day in days):
        yield "weekdays", "请选择星期一到星期日（1 到 7），不能重复"
    if not SHORTEST <= wish.slot_minutes <= LONGEST:
        yield "slot_minutes", f"应为 {SHORTEST} 到 {LONGEST} 分钟"
    if not 1 <= wish.capacity <= MOST_PLACES:
        yield "capacity", f"名额应为 1 到 {MOST_PLACES}"
    if wish.valid_to is not None and wish.valid_to < max(wish.valid_from, clock.today()):
        yield "valid_to", "截止日期不能早于开始日期或今天"


def _minutes(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])
