"""Who comes along: named alike wherever a family books, waits or enters."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from backend import people
from backend.booking import Companion
from backend.kernel.identifiers import is_id_no, tidy_id_no
from backend.kernel.problems import FieldError, InvalidInput
from backend.runtime.surface import Body, Call, Unit
from backend.store.unit import run_unit


class CompanionGiven(Body):
    """Somebody who comes along and is handled together, such as the other owner of a flat."""

    name: str = Field(min_length=2, max_length=30)
    id_no: str = Field(min_length=18, max_length=18)


def count_named(call: Call[Any]) -> None:
    """The gate of doors that take companions; it counts in a unit of its own, so that refused tries count too.

    Raises TooMany.
    """
    numbers = [tidy_id_no(one.id_no) for one in call.body.companions]
    if numbers:
        run_unit(lambda u: people.count_named(u, call.principal.id, numbers))


def companions_of(u: Unit, given: Sequence[CompanionGiven], person_id: str) -> tuple[Companion, ...]:
    """Those who come along with a person. Raises InvalidInput."""
    numbers = [tidy_id_no(one.id_no) for one in given]
    wrong: list[FieldError] = [
        {"field": f"companions.{n}.id_no", "message": says}
        for n, id_no in enumerate(numbers)
        if (says := _wrong_with(u, id_no, numbers[:n], person_id))
    ]
    if wrong:
        raise InvalidInput(errors=wrong)
    return tuple(Companion(one.name, id_no) for one, id_no in zip(given, numbers, strict=True))


def _wrong_with(u: Unit, id_no: str, before: list[str], person_id: str) -> str:
    if not is_id_no(id_no):
        return "身份证号码不正确"
    if id_no in before:
        return "同行人的身份证号码重复"
    return "同行人不用填写本人" if people.is_own_id_no(u, person_id, id_no) else ""
