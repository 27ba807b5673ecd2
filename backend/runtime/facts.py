"""Words for messages across houses: what a public id is called, asked of the house that owns it."""

from collections.abc import Callable, Mapping

from backend.kernel import ids
from backend.store.unit import Unit

Teller = Callable[[Unit, str], Mapping[str, str]]
_tellers: dict[str, Teller] = {}


def register(prefix: str, teller: Teller) -> None:
    """Said by the town plan: ids with this prefix are explained by this question."""
    _tellers[prefix] = teller


def facts_of(u: Unit, public_id: str) -> Mapping[str, str]:
    """Variables for wording (number, item, place, when, amount ...); empty for an id nobody explains."""
    teller = _tellers.get(ids.prefix_of(public_id))
    return teller(u, public_id) if teller else {}
