"""Two ears that hear the same events and write down that they did, and what the relay has left for them."""

from backend.contracts import CaseWithdrawn, Event
from backend.kernel import ids
from backend.kernel.problems import Conflict
from backend.store.unit import Unit, run_unit
from tests.store.doors import ask, put, tell

HEARD: list[tuple[str, str]] = []
CAUGHT: list[Event] = []
DEAF: set[str] = set()


def left(u: Unit, event: CaseWithdrawn) -> None:
    """Hears, and writes that it has heard."""
    _hear(u, "left", event)


def right(u: Unit, event: CaseWithdrawn) -> None:
    """Hears the same events."""
    _hear(u, "right", event)


def _hear(u: Unit, ear: str, event: CaseWithdrawn) -> None:
    put(u, f"{ear} {event.matter} {event.person_id} {ids.new_id('ev')}")
    HEARD.append((ear, event.person_id))
    CAUGHT.append(event)
    if ear in DEAF or f"{ear} {event.person_id}" in DEAF or f"{ear} {event.matter}" in DEAF:
        raise Conflict("nobody listens")


def record(matter: str, *people: str) -> None:
    """Withdrawals by these, in one unit each."""
    for person in people:
        run_unit(lambda u, p=person: u.record(CaseWithdrawn(matter, p)))


def deliveries(where: str = "true") -> int:
    return int(ask(f"SELECT count(*) FROM store_delivery WHERE {where}"))


def heard_by(ear: str) -> list[str]:
    return [person for name, person in HEARD if name == ear]


def written() -> int:
    return int(ask("SELECT count(*) FROM t_thing"))


def all_due() -> None:
    """As if every pause were over."""
    tell("UPDATE store_delivery SET due_at = due_at - interval '1 day' WHERE state = 'due'")
