"""Checks a citizen's answers against the form of a version: one Chinese sentence per wrong field, all at once."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from backend.catalogue.views import FormField, ItemVersion
from backend.catalogue.words import say
from backend.kernel import identifiers
from backend.kernel.problems import FieldError, InvalidInput

Answer = str | int
LONGEST: Final = {"text": 100, "long_text": 1000, "address": 120}
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class _Wrong(Exception):
    """An answer that will not do; the message is for the citizen."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(say("form", key, **facts))


def validate_form(version: ItemVersion, answers: Mapping[str, object]) -> dict[str, Answer]:
    """Answers as they are stored: trimmed, identity numbers in capitals, decimals as text.

    Unknown and hidden fields are refused, empty optional ones left out. Raises InvalidInput with all errors.
    """
    known = {field.name for field in version.form}
    wrong = {name: say("form", "unknown") for name in answers if name not in known}
    kept: dict[str, Answer] = {}
    for field in version.form:
        if field.visible_when is not None and field.visible_when.field in wrong:
            continue  # whether it is asked at all is not known yet
        try:
            answer = _answer(field, answers.get(field.name), kept)
        except _Wrong as refusal:
            wrong[field.name] = str(refusal)
        else:
            kept |= {} if answer is None else {field.name: answer}
    if wrong:
        raise InvalidInput(
            errors=[FieldError(field=name, message=message) for name, message in wrong.items()]
        )
    return kept


def _answer(field: FormField, given: object, before: Mapping[str, Answer]) -> Answer | None:
    shown = _is_shown(field, before)
    if given is None or (isinstance(given, str) and not given.strip()):
        if field.required and shown:
            raise _Wrong("choose" if field.kind == "choice" else "required", label=field.label)
        return None
    if not shown:
        raise _Wrong("hidden", label=field.label)
    return _CHECKS[field.kind](field, given)


def _is_shown(field: FormField, before: Mapping[str, Answer]) -> bool:
    when = field.visible_when
    return when is None or str(before.get(when.field)) in when.equals


def _text(field: FormField, given: object) -> str:
    text = _string(field, given)
    longest = field.max or LONGEST.get(field.kind, 100)
    if len(text) > longest:
        raise _Wrong("too_long", label=field.label, most=longest)
    if len(text) < (field.min or 1):
        raise _Wrong("too_short", label=field.label, least=field.min)
    if field.pattern is not None and not re.fullmatch(field.pattern, text):
        raise _Wrong("pattern_help" if field.help else "pattern", label=field.label, help=field.help)
    return text


def _string(field: FormField, given: object) -> str:
    if not isinstance(given, str):
        raise _Wrong("not_text", label=field.label)
    if _CONTROL.search(given):
        raise _Wrong("control", label=field.label)
    return given.strip()


def _number(field: FormField, given: object) -> Answer:
    number = _decimal(field, given)
    if field.min is not None and number < field.min:
        raise _Wrong("too_small", label=field.label, least=field.min)
    if field.max is not None and number > field.max:
        raise _Wrong("too_large", label=field.label, most=field.max)
    if number != round(number, field.decimals):
        raise _Wrong("decimals" if field.decimals else "whole", label=field.label, count=field.decimals)
    return f"{number:.{field.decimals}f}" if field.decimals else int(number)


def _decimal(field: FormField, given: object) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise _Wrong("not_number", label=field.label)
    try:
        number = Decimal(str(given).strip())
    except InvalidOperation:
        raise _Wrong("not_number", label=field.label) from None
    if not number.is_finite() or abs(number) > Decimal(10) ** 15:
        raise _Wrong("not_number", label=field.label)
    return number


def _date(field: FormField, given: object) -> str:
    text = _string(field, given)
    try:
        if not _DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise _Wrong("not_date", label=field.label) from None


def _choice(field: FormField, given: object) -> str:
    text = _string(field, given)
    if text not in {option.value for option in field.options}:
        raise _Wrong("choose", label=field.label)
    return text


def _id_no(field: FormField, given: object) -> str:
    number = identifiers.tidy_id_no(_string(field, given))
    if (reason := identifiers.id_no_problem(number)) is not None:
        raise _Wrong("said", said=reason)
    return number


def _uscc(field: FormField, given: object) -> str:
    code = identifiers.tidy_uscc(_string(field, given))
    if (reason := identifiers.uscc_problem(code)) is not None:
        raise _Wrong("said", said=reason)
    return code


def _mobile(field: FormField, given: object) -> str:
    number = identifiers.tidy_mobile(_string(field, given))
    if not identifiers.is_mobile(number):
        raise _Wrong("not_mobile", label=field.label)
    return number


_CHECKS: Final[Mapping[str, Callable[[FormField, object], Answer]]] = {
    "text": _text,
    "long_text": _text,
    "address": _text,
    "number": _number,
    "date": _date,
    "choice": _choice,
    "id_no": _id_no,
    "uscc": _uscc,
    "mobile": _mobile,
}
