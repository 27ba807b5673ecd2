"""What a field of a WeChat subscribe message may hold, by the kind its name begins with (STANDARDS §9)."""

import re
from collections.abc import Callable

_HAN = r"\u3400-\u9fff\uf900-\ufaff"
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_DAY = r"(\d{4}年\d{1,2}月\d{1,2}日|\d{1,2}月\d{1,2}日|\d{4}[-/]\d{1,2}[-/]\d{1,2})"
_MOMENT = rf"({_DAY} ?{_CLOCK}|{_DAY}|{_CLOCK})"


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


_RULES: dict[str, Callable[[str], bool]] = {
    "thing": lambda value: len(value) <= 20,
    "number": _matches(r"-?\d{1,32}(\.\d{1,32})?"),
    "letter": _matches(r"[A-Za-z]{1,32}"),
    "symbol": _matches(r"[^\w\s]{1,5}"),
    "character_string": _matches(r"[\x20-\x7e]{1,32}"),
    "time": _matches(rf"{_MOMENT}( ?~ ?{_MOMENT})?"),
    "date": _matches(rf"{_MOMENT}( ?~ ?{_MOMENT})?"),
    "amount": _matches(r"[¥$€£]?\d{1,10}(\.\d{1,2})?元?"),
    "phone_number": _matches(r"[\d+\-() ]{1,17}"),
    "car_number": lambda value: len(value) <= 8,
    "name": _matches(rf"[{_HAN}·]{{1,10}}|[A-Za-z ·.]{{1,20}}"),
    "phrase": _matches(rf"[{_HAN}]{{1,5}}"),
    "const": lambda value: len(value) <= 20,
}


def fits(field: str, value: str) -> bool:
    """True when the platform would take this value in this field."""
    rule = _RULES.get(field.rstrip("0123456789"))
    return rule is not None and bool(value.strip()) and "\n" not in value and rule(value)
