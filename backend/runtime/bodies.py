"""Bodies and questions as they come in: read strictly, refused politely, all faults at once."""

import datetime as dt
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import pydantic
from annotated_types import MaxLen
from flask import Request, request
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from pydantic.fields import FieldInfo

from backend.kernel.problems import FieldError, InvalidInput, MalformedRequest, TooLarge, UnsupportedMedia

JSON_MAX_BYTES = 256 * 1024
LONG_TEXT = 100
"""From how many characters a text field may have lines; a shorter one is a single line."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGEST_INTEGER = 2**63 - 1
FIRST_DAY: Final = dt.date(2000, 1, 1)
LAST_DAY: Final = dt.date(2100, 12, 31)
B = TypeVar("B", bound=BaseModel)
D = TypeVar("D", bound=dt.date)


def within_reach(day: D) -> D:
    """A day (or moment) that every sum of days, weeks and time zones can bear. Raises ValueError."""
    if not FIRST_DAY <= (day.date() if isinstance(day, dt.datetime) else day) <= LAST_DAY:
        raise ValueError("日期应在 2000 年 1 月 1 日到 2100 年 12 月 31 日之间")
    return day


def day_of_text(text: str) -> dt.date:
    """A day written YYYY-MM-DD; weeks, bare digits and seconds since 1970 are none. Raises ValueError."""
    if _DAY.fullmatch(text) is None:
        raise ValueError("日期应写成 2026-12-01 这样")
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError("没有这一天，请按 2026-12-01 这样填写") from None
    return within_reach(day)


def _as_a_day(given: object) -> object:
    return day_of_text(given) if isinstance(given, str) else given


WITHIN_REACH: Final = AfterValidator(within_reach)
Day = Annotated[dt.date, BeforeValidator(_as_a_day), WITHIN_REACH]
"""A day as it comes in; a guard sees to it that no body and no query has a bare date."""
Moment = Annotated[AwareDatetime, WITHIN_REACH]
"""A moment as it comes in, with its offset."""


class Body(BaseModel):
    """Parent of every request body: unknown fields and wrong types are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, str_strip_whitespace=True)


class Query(BaseModel):
    """Parent of every set of query parameters (they arrive as text, so numbers are parsed)."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body that is not JSON: how large it may be, and which media types are taken."""

    max_bytes: int
    media: tuple[str, ...]


_SAYS = {
    "missing": "请填写此项",
    "extra_forbidden": "没有这一项，请删除",
    "string_too_short": "内容太短",
    "string_too_long": "内容太长",
    "string_pattern_mismatch": "格式不正确",
    "string_type": "应当是文字",
    "int_type": "应当是整数",
    "int_from_float": "应当是整数",
    "int_parsing": "应当是整数",
    "bool_type": "应当是 true 或 false",
    "bool_parsing": "应当是 true 或 false",
    "list_type": "应当是列表",
    "tuple_type": "应当是列表",
    "dict_type": "应当是对象",
    "model_type": "应当是对象",
    "too_short": "项数太少",
    "too_long": "项数太多",
    "greater_than": "数值太小",
    "greater_than_equal": "数值太小",
    "less_than": "数值太大",
    "less_than_equal": "数值太大",
    "literal_error": "不在可选范围内",
    "enum": "不在可选范围内",
}


SMALL_BYTES = 4_096
"""A body without odd numbers that is this small is looked at by its model alone; it cannot nest very deep."""
_ODD_NUMBERS = re.compile(rb"[0-9][eE]|[0-9]{18}|NaN|Infinity")


def current_request() -> Request:
    """The request itself: by Flask's proxy every look at it costs another search."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]
    return found


def read_body(request: Request, model: type[B]) -> B:
    """The JSON body as `model`. Raises UnsupportedMedia, TooLarge, MalformedRequest or InvalidInput."""
    if request.mimetype != "application/json":
        raise UnsupportedMedia("请以 application/json 提交。")
    raw = bytes_of(request, JSON_MAX_BYTES)
    if b"\\u0000" in raw or b"\0" in raw:
        raise MalformedRequest("内容里有不能识别的字符。")
    _require_storable(raw)
    try:
        body = model.model_validate_json(raw)
    except pydantic.ValidationError as error:
        raise _refusal(error) from None
    # JSON writes a control character as an escape; without one only those that JSON lets stand remain.
    if b"\\" in raw or _CONTROL_IN_LINES.search(raw.decode()):
        _require_plain(body)
    return body


def read_list(raw: bytes, model: type[B]) -> list[B]:
    """A JSON file that is a list of `model`, read as strictly as a body. Raises MalformedRequest or InvalidInput."""
    if b"\\u0000" in raw or b"\0" in raw:
        raise MalformedRequest("内容里有不能识别的字符。")
    _require_storable(raw)
    try:
        found = pydantic.TypeAdapter(list[model]).validate_json(raw)  # type: ignore[valid-type]
    except pydantic.ValidationError as error:
        raise _refusal(error) from None
    for one in found:
        _require_plain(one)
    return found


def read_raw(request: Request, accepts: RawBody) -> bytes:
    if request.mimetype not in accepts.media:
        raise UnsupportedMedia(f"只接受：{'、'.join(accepts.media)}。")
    return bytes_of(request, accepts.max_bytes)


def read_query(request: Request, model: type[B]) -> B:
    """Query parameters as `model`; a name given twice is refused."""
    try:
        given = request.args.lists()
    except UnicodeDecodeError as error:
        raise MalformedRequest("查询条件含有不能识别的字符。") from error
    if any(len(values) > 1 or "\0" in values[0] for _, values in given):
        raise MalformedRequest("查询条件重复或含有不能识别的字符。")
    try:
        return model.model_validate(request.args.to_dict())
    except pydantic.ValidationError as error:
        raise _refusal(error) from None


def bytes_of(request: Request, most: int) -> bytes:
    """The body, never more than `most` bytes, whatever Content-Length claims."""
    if (request.content_length or 0) > most:
        raise TooLarge(f"最多 {most // 1024} KB。")
    if request.content_length is None:
        request.max_content_length = most + 1  # reading stops there, without a word
    # Kept by the request: whoever asks again (the signature, the Idempotency-Key) reads the same bytes.
    raw: bytes = request.get_data(cache=True)
    if len(raw) > most:
        raise TooLarge(f"最多 {most // 1024} KB。")
    return raw


def _require_storable(raw: bytes) -> None:
    """Refuse what Python's JSON can say and neither JSON proper nor the database can: NaN, endless numbers."""
    if len(raw) < SMALL_BYTES and _ODD_NUMBERS.search(raw) is None:
        return
    try:
        json.loads(raw, parse_int=_integer, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise MalformedRequest("不是正确的 JSON，或者数字过大。") from error


def _integer(text: str) -> int:
    number = int(text) if len(text) <= 20 else _LARGEST_INTEGER + 1
    if abs(number) > _LARGEST_INTEGER:
        raise ValueError("an integer of more than 64 bits")
    return number


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _require_plain(body: BaseModel) -> None:
    """Refuse control characters: they forge lines in logs, labels and messages. Long texts may have lines and tabs."""
    if found := list(_controlled(body, "")):
        says = "含有不能显示的控制字符，请删除"
        raise InvalidInput(errors=[FieldError(field=field, message=says) for field in found[:50]])


def _controlled(value: object, field: str, *, lines: bool = True) -> Iterator[str]:
    """Where a control character stands in what was sent."""
    if isinstance(value, str):
        if (_CONTROL_IN_LINES if lines else _CONTROL).search(value):
            yield field
        return
    for name, part, may_have_lines in _parts(value, lines=lines):
        if isinstance(name, str) and _CONTROL.search(name):
            yield field
        yield from _controlled(part, f"{field}.{name}" if field else str(name), lines=may_have_lines)


def _parts(value: object, *, lines: bool) -> Iterator[tuple[object, object, bool]]:
    """What a value consists of: name or number, the part itself, and whether its text may have lines."""
    if isinstance(value, BaseModel):
        for name, about in type(value).model_fields.items():
            yield name, getattr(value, name), _has_lines(about)
    elif isinstance(value, dict):
        yield from ((name, part, True) for name, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((number, part, lines) for number, part in enumerate(value))


def _has_lines(about: FieldInfo) -> bool:
    longest = [one.max_length for one in about.metadata if isinstance(one, MaxLen)]
    return not longest or min(longest) >= LONG_TEXT


def _refusal(error: pydantic.ValidationError) -> Exception:
    faults = error.errors(include_url=False, include_input=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        return MalformedRequest("不是正确的 JSON。")
    return InvalidInput(errors=[_told(fault) for fault in faults[:50]])


def _told(fault: Any) -> FieldError:
    message = _SAYS.get(fault["type"])
    if message is None:
        context = fault.get("ctx") or {}
        message = (
            str(context["error"]) if fault["type"] == "value_error" and "error" in context else "填写不正确"
        )
    return FieldError(field=".".join(str(part) for part in fault["loc"]), message=message)
