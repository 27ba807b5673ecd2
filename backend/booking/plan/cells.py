"""What a cell of a planner's workbook says, whatever Excel, WPS or a person has made of it.

Dates and times may be text (full-width signs too), dates and times of Excel, or the bare numbers behind them; whatever
cannot be told for sure is refused with a sentence for the planner, never guessed.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final, NoReturn

import orjson
from openpyxl.utils.datetime import from_excel

from backend.kernel import clock
from backend.runtime.bodies import within_reach

Reader = Callable[[Any, dt.datetime], Any]
"""Reads a value; the moment is the day 0 of the workbook: there are such of 1900 and of 1904."""
DAYS: Final = "一二三四五六日"
EVERY_ITEM: Final = "全部"
AS_ITEM: Final = "默认"
USUAL: Final = object()
"""A rule that is given, as having its usual value; a cell that is empty gives none."""
_DAY: Final = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?: 0?0:00(?::00)?)?")
_DIGITS: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00)?")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DAY_S: Final = 24 * 60 * 60
_FIRST_WITH_EIGHT: Final = 10_000_000
_NO_TIME: Final = "应为 00:00 到 23:59 的时间，例如 09:00"


class Wrong(ValueError):
    """A cell does not hold what its column asks for; the message is for the planner."""


def text(most: int, *, least: int = 0, asks: str = "请填写此项") -> Reader:
    """A line of text of so many characters."""

    def read(value: Any, _epoch: dt.datetime) -> str:
        found = _line(value)
        if len(found) > most:
            raise Wrong(f"最多 {most} 个字")
        if len(found) < least:
            raise Wrong(asks)
        if _CONTROL.search(found):
            raise Wrong("内容里有换行或不能识别的字符")
        return found

    return read


def item(value: Any, _epoch: dt.datetime) -> str:
    """The number of an item, such as SI018."""
    found = _plain(value)
    return found if 0 < len(found) <= 40 else _refuse("请填写事项编号")


def item_or_all(value: Any, _epoch: dt.datetime) -> str:
    """The number of an item, or 全部 (then "")."""
    found = _plain(value)
    return "" if found in ("", EVERY_ITEM) else found if len(found) <= 40 else _refuse("请填写事项编号")


def items(value: Any, _epoch: dt.datetime) -> tuple[str, ...]:
    """Numbers of items: "SI018、SI025"."""
    found = tuple(filter(None, re.split(r"[\s,，、;；]+", _plain(value))))
    return (
        tuple(dict.fromkeys(found)) if found and len(found) <= 200 else _refuse("请填写事项编号，用顿号分开")
    )


def weekdays(value: Any, _epoch: dt.datetime) -> tuple[int, ...]:
    """ "一二三", "1,2,3" or the number 123."""
    found = re.sub(r"[\s,，、周星期]", "", _plain(value)).replace("天", "日")
    days = tuple(DAYS.index(one) + 1 if one in DAYS else int(one) if one in "1234567" else 0 for one in found)
    return tuple(sorted(days)) if days and all(days) else _refuse("请填写星期，例如 一二三四五")


def time(value: Any, _epoch: dt.datetime) -> str:
    """ "9:30" as text, a time of Excel, or the part of a day that stands for it; an impossible one is refused."""
    if isinstance(value, dt.time):
        return _of_seconds(value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6)
    if isinstance(value, dt.timedelta):
        return _of_seconds(value.total_seconds())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_seconds(value * _DAY_S)
    found = _CLOCK.fullmatch(_plain(value)) if isinstance(value, str) else None
    if found is None or int(found[2]) > 59:
        raise Wrong(_NO_TIME)
    return _of_seconds(int(found[1]) * 3600 + int(found[2]) * 60)


def spans(value: Any, _epoch: dt.datetime) -> list[list[str]]:
    """Times of a day: "09:00-12:00、14:00-17:00"; none when it is empty."""
    parts = filter(None, re.split(r"[\s,，、;；]+", re.sub(r"\s*[-–—~～至]\s*", "-", _plain(value))))
    found = [[time(one, _epoch) for one in part.split("-")] for part in parts]
    if any(len(one) != 2 for one in found) or len(found) > 6:
        raise Wrong("应为 09:00-12:00、14:00-17:00 这样的起止时间，最多 6 段")
    return found


def number(value: Any, _epoch: dt.datetime) -> int:
    """A whole number of at most five digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = "" if isinstance(value, bool) else _plain(value)
    return int(found) if re.fullmatch(r"[0-9]{1,5}", found) else _refuse("应为整数")


def flag(value: Any, _epoch: dt.datetime) -> bool:
    """是 or 否; nothing is 否."""
    if isinstance(value, bool):
        return value
    flags = {"": False, "否": False, "是": True}
    found = _plain(value)
    return flags[found] if found in flags else _refuse("应为 是 或 否")


def choice(**choices: str) -> Reader:
    """One of these words, by what it says in Chinese."""
    by_word = {word: name for name, word in choices.items()}

    def read(value: Any, _epoch: dt.datetime) -> str:
        found = _plain(value)
        return by_word[found] if found in by_word else _refuse(f"应为 {'、'.join(by_word)}")

    return read


def day(value: Any, epoch: dt.datetime) -> dt.date:
    """A date: as text, of Excel, 20261201, or the number of days that Excel keeps."""
    return last_day(value, epoch) or _refuse("请填写日期，例如 2026-12-01")


def first_day(value: Any, epoch: dt.datetime) -> dt.date:
    """A date; today when it is empty."""
    return last_day(value, epoch) or clock.today()


def last_day(value: Any, epoch: dt.datetime) -> dt.date | None:
    """A date; None when it is empty."""
    if _plain(value) == "":
        return None
    try:
        return within_reach(_as_date(value, epoch))
    except (ValueError, OverflowError) as error:
        raise Wrong(str(error) if isinstance(error, Wrong) else "没有这一天") from None


def rule(value: Any, _epoch: dt.datetime) -> Any:
    """What a rule may be: a number, 是 or 否, a word, or JSON; None where the cell is empty."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return value if isinstance(value, bool | int | None) else _refuse("应为数字或 是、否")
    found = _plain(value)
    words = {"": None, "是": True, "否": False, AS_ITEM: USUAL}
    if found in words:
        return words[found]
    try:
        return orjson.loads(found)
    except orjson.JSONDecodeError:
        return found


def _as_date(value: Any, epoch: dt.datetime) -> dt.date:
    if isinstance(value, int | float) and not isinstance(value, bool) and value < _FIRST_WITH_EIGHT:
        value = from_excel(value, epoch)
    if isinstance(value, dt.datetime):
        return value.date() if value.time() == dt.time() else _refuse("应为日期，不带时间")
    if isinstance(value, dt.date):
        return value
    found = _DAY.fullmatch(_plain(value)) or _DIGITS.fullmatch(_plain(value))
    return dt.date(*map(int, found.groups())) if found else _refuse("应为日期，例如 2026-12-01")


def _of_seconds(seconds: float) -> str:
    if not 0 <= seconds < _DAY_S:  # also what is no number at all
        raise Wrong(_NO_TIME)
    whole = round(seconds)
    if whole % 60 or abs(seconds - whole) > 0.01:
        raise Wrong("时间只到分钟，例如 09:00")
    return f"{whole // 3600:02}:{whole // 60 % 60:02}"


def _line(value: Any) -> str:
    """Text as somebody wrote it; a whole number without the point that Excel gives it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def _plain(value: Any) -> str:
    """The same with half-width signs: ８：３０ is 8:30."""
    return unicodedata.normalize("NFKC", _line(value)).strip()


def _refuse(says: str) -> NoReturn:
    raise Wrong(says)
