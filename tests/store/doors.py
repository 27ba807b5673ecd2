"""A door: the smallest thing with a life; and a table of plain things to write to and to quarrel about."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from backend.contracts import CaseWithdrawn
from backend.kernel import ids
from backend.kernel.machine import Machine, Move
from backend.store import engine, outbox
from backend.store.unit import CLOCK, SYSTEM, Unit, run_unit

DOOR = Machine(
    "door",
    "open",
    [
        Move("open", "closed", "shut", "门关上了", CaseWithdrawn),
        Move("shut", "opened", "open", "门打开了", None, "nobody waits for an open door"),
    ],
    {"open": "开着", "shut": "关着"},
)
TABLE = """
    CREATE TABLE t_thing (
        id text PRIMARY KEY,
        n integer NOT NULL DEFAULT 0,
        name text CONSTRAINT uq_t_thing_name UNIQUE
    )
"""


@dataclass
class Door:
    """A row in memory: the journal is what these tests look at."""

    state: str = ""
    id: str = field(default_factory=lambda: ids.new_id("cs"))

    @property
    def matter(self) -> str:
        return self.id


def make_door(u: Unit, **facts: Any) -> Door:
    door = Door()
    u.begin(DOOR, door, by=SYSTEM, says="有了门", facts=facts)
    return door


def used_door(closings: int = 1) -> Door:
    """A door with one line for its birth and two for each time that it was shut and opened."""
    door = run_unit(make_door)
    for number in range(closings):
        run_unit(lambda u, n=number: shut(u, door, amount_fen=n))
        run_unit(lambda u: u.step(DOOR, door, "opened", by=CLOCK))
    return door


def shut(u: Unit, door: Door, **facts: Any) -> None:
    u.step(DOOR, door, "closed", by=SYSTEM, facts=facts)
    u.record(CaseWithdrawn(door.id, "ps-1"))


def put(u: Unit, key: str, n: int = 0, name: str | None = None) -> None:
    u.session.execute(
        text("INSERT INTO t_thing (id, n, name) VALUES (:id, :n, :name)"), {"id": key, "n": n, "name": name}
    )


def add(u: Unit, key: str, n: int = 1) -> None:
    u.session.execute(text("UPDATE t_thing SET n = n + :n WHERE id = :id"), {"id": key, "n": n})


def value(key: str) -> int | None:
    """What the table holds for everybody to see; None when the row is not there."""
    return ask("SELECT n FROM t_thing WHERE id = :id", id=key)


def ask(question: str, **values: Any) -> Any:
    """One value, read outside any unit."""
    with engine.engine().connect() as connection:
        return connection.execute(text(question), values).scalar()


def tell(statement: str, **values: Any) -> None:
    """One statement as somebody with SQL would send it."""
    with engine.engine().begin() as connection:
        connection.execute(text(statement), values)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run all at once; what each returned or raised, in their order."""
    outcomes: list[Any] = [None] * len(works)
    start = threading.Barrier(len(works))

    def run(place: int, work: Callable[[], Any]) -> None:
        start.wait()
        try:
            outcomes[place] = work()
        except Exception as error:
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


@contextmanager
def listening(subscriptions: dict[Any, tuple[outbox.Ear, ...]]) -> Iterator[None]:
    """The town's ears replaced for a while."""
    before = dict(outbox._ears), dict(outbox._subscriptions)
    outbox.subscribe(subscriptions)
    try:
        yield
    finally:
        for kept, was in zip((outbox._ears, outbox._subscriptions), before, strict=True):
            kept.clear()
            kept.update(was)  # type: ignore[arg-type]
