"""Which case stands behind a visit: the house of cases tells it, by the town plan; houses never import each other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from backend.store.unit import Unit


@dataclass(frozen=True, slots=True)
class CaseBehind:
    """What a window is told of the case: the number people know it by, and how it stands."""

    number: str
    state: str
    label: str


Teller = Callable[[Unit, Iterable[str]], Mapping[str, tuple[str, str, str]]]
NONE: Final = CaseBehind("", "", "")
_tellers: list[Teller] = []


def use_case_teller(teller: Teller) -> None:
    """Said by the town plan: number, state and its label of several cases, by id, in one look."""
    _tellers[:] = [teller]


def cases_of(u: Unit, case_ids: Iterable[str | None]) -> dict[str, CaseBehind]:
    """The cases behind several visits."""
    wanted = {one for one in case_ids if one is not None}
    if not wanted or not _tellers:
        return {}
    return {case_id: CaseBehind(*told) for case_id, told in _tellers[0](u, wanted).items()}
