"""What a field of a WeChat card may hold, by the kind its name begins with (STANDARDS §9).

One field over its limit gets the whole message refused (47003), so every value is made to fit before it is sent.
"""

import re
from collections.abc import Callable

from notifications.channels.sms_text import shortened

_HAN = "\u3400-\u9fff\uf900-\ufaff"
_NOT_HAN = re.compile(f"[^{_HAN}]")
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")
_NOT_LETTER = re.compile(r"[^A-Za-z]")
_NUMBER = re.compile(r"-?\d{1,31}(?:\.\d{1,31})?", re.ASCII)
_NOT_PHONE = re.compile(r"[^\d+\-() ]", re.ASCII)
_AMOUNT = re.compile(r"[¥$€£]?\d{1,10}(?:\.\d{1,2})?元?", re.ASCII)
_CLOCK = r"(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?"
_DAY = r"(?:\d{4}年)?\d{1,2}月\d{1,2}日|\d{4}-\d{1,2}-\d{1,2}"
_MOMENT = re.compile(rf"(?:{_DAY})(?: ?{_CLOCK})?(?: ?~ ?(?:{_DAY})?(?: ?{_CLOCK})?)?|{_CLOCK}")


class DoesNotFit(ValueError):
    """No honest shortening makes this a legal value; the card cannot be sent."""


def _most(limit: int) -> Callable[[str], str]:
    return lambda text: shortened(text, limit)


def _only(pattern: re.Pattern[str], limit: int, otherwise: str) -> Callable[[str], str]:
    return lambda text: pattern.sub("", text).strip()[:limit] or otherwise


def _number(text: str) -> str:
    found = _NUMBER.search(text)
    return found[0] if found else "0"


def _exactly(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def fit(text: str) -> str:
        if pattern.fullmatch(text) is None:
            raise DoesNotFit(text)
        return text

    return fit


_RULES: dict[str, Callable[[str], str]] = {
    "thing": _most(20),
    "const": _most(20),
    "car_number": _most(8),
    "character_string": _only(_NOT_ASCII, 32, "-"),
    "number": _number,
    "letter": _only(_NOT_LETTER, 32, "N"),
    "phone_number": _only(_NOT_PHONE, 17, "12345"),
    "phrase": _only(_NOT_HAN, 5, "请查看"),
    "name": _only(_NOT_HAN, 10, "本人"),
    "amount": _exactly(_AMOUNT),
    "time": _exactly(_MOMENT),
    "date": _exactly(_MOMENT),
}


def fit(field: str, text: str) -> str:
    """The value as the platform will take it. Raises DoesNotFit; KeyError for a kind of field that is none."""
    plain = " ".join(text.split()) or "-"
    return _RULES[field.rstrip("0123456789")](plain)
