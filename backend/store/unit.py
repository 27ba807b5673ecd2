"""The unit of work: one transaction at the edge, and the only place that commits.

    def submit(u: Unit) -> str:
        u.begin(MACHINE, case, by=actor)        # or u.step(...) for a row that lives
        u.record(CaseSubmitted(case.id, person_id))
        return case.id
    run_unit(submit)

Locks are taken in this order: the rows of the house (by id), then the heads of the journal (by matter id, at the
end of the unit). A deadlock or serialization failure repeats the whole function, so it must not call outside.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from backend.contracts import Event, Notice
from backend.kernel import clock
from backend.kernel.machine import Machine, Move
from backend.kernel.problems import Problem
from backend.store import book, inbox, journal, lean, outbox
from backend.store.journal import CLOCK, SYSTEM, Actor, JournalEntry
from backend.store.transaction import OutcomeUnknown, Transaction

__all__ = [
    "CLOCK",
    "SYSTEM",
    "Actor",
    "OutcomeUnknown",
    "Question",
    "Unit",
    "is_open",
    "map_constraint",
    "on_recorded",
    "retry_on",
    "run_unit",
    "unit",
]

Question = tuple[str, Mapping[str, Any]]
"""A statement that returns at most one row, with its values."""
T = TypeVar("T")
R = TypeVar("R")
ATTEMPTS = 3
_REPEATABLE = {"40001", "40P01", *lean.STALE}
_open = threading.local()
_wakers: list[Callable[[], None]] = []
_constraints: dict[str, Callable[[], Problem]] = {}
_retried: set[str] = set()


class Stateful(Protocol):
    """A row with a life: what `Unit.step` needs to know of it."""

    id: Any
    state: Any

    @property
    def matter(self) -> str: ...


class OwedEvent(AssertionError):
    """A move names an event that the unit did not record: the town would never hear of it."""


class Unit(Transaction):
    """One transaction. Houses read and write through it; it writes journal and outbox at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: dict[str, book.Page] = {}
        self._owed: list[tuple[type[Event], str]] = []
        self._recorded: list[Event] = []
        self._after: list[Callable[[], None]] = []
        self._last = book.Last()
        self._judge: Callable[[lean.Row], None] | None = None
        self._answered: tuple[Question, lean.Row] | None = None

    def add(self, row: object) -> None:
        self.session.add(row)

    def get(self, model: type[R], key: Any, *, lock: bool = False) -> R | None:
        """The row, read anew and locked (FOR UPDATE) when `lock` is set."""
        if lock:
            return self.session.get(model, key, with_for_update=True, populate_existing=True)
        return self.session.get(model, key)

    def flush(self) -> None:
        """Send what is pending to the database now (rows, then journal and outbox)."""
        self.flush_rows()
        self._write_pages(book.Last())

    def begin(
        self, machine: Machine, row: Stateful, *, by: Actor, says: str, at: datetime | None = None,
        facts: Mapping[str, Any] | None = None, event: Event | None = None,
    ) -> None:  # fmt: skip
        """The birth of a row: its state becomes the machine's start, the journal opens with `says`."""
        row.state = machine.start
        fresh = row.matter == row.id and row.matter not in self._pages
        self._write(row.matter, row.id, ("begun", "", machine.start, says), by, at, facts)
        self._pages[row.matter].fresh = fresh
        if event is not None:
            self.record(event)

    def step(
        self, machine: Machine, row: Stateful, trigger: str, *, by: Actor, at: datetime | None = None,
        facts: Mapping[str, Any] | None = None, fresh: bool = False,
    ) -> Move:  # fmt: skip
        """Move a locked row along its machine. Raises ImpossibleMove; nothing is written then.

        `fresh` promises that the matter has no line yet (a row born in its second state): one round trip less.
        """
        move = machine.move(row.state, trigger)
        row.state = move.target
        self._write(row.matter, row.id, (trigger, move.source, move.target, move.says), by, at, facts)
        if fresh and len(self._pages[row.matter].entries) == 1:
            self._pages[row.matter].fresh = True
        if move.event is not None:
            self._owed.append((move.event, row.matter))
        return move

    def note(
        self, matter: str, subject: str, what: str, *, by: Actor, says: str = "",
        facts: Mapping[str, Any] | None = None, at: datetime | None = None,
    ) -> None:  # fmt: skip
        """A line in the journal that moves nothing."""
        self._write(matter, subject, (what, "", "", says), by, at, facts)

    def know_head(self, matter: str, seq: int, link: bytes) -> None:
        """The head of a matter that this unit has locked with a statement of its own: one round trip less."""
        self._page(matter).head = (seq, link)

    def record(self, event: Event) -> None:
        """Tell the town, in the same transaction as the fact."""
        self._page(event.matter).events.append(event)
        self._recorded.append(event)

    def first_time(self, notice: Notice, asks: Sequence[Question] = ()) -> bool:
        """Whether this news was never heard before; what its house `asks` (see `ask_each`) travels along."""
        notice_id, answers = inbox.keep_notice(self, notice, asks)
        if asks:
            self.know_answer(asks[-1], answers[-1].fetchone() or ())
        return notice_id is not None

    def verdict(self, notice: Notice, verdict: str, why: str) -> str:
        """Keep an authentic but unusable notice with the reason; returns its id."""
        self.session.flush()
        return inbox.judge_notice(self.session, notice, verdict, why)

    def journal_of(self, matter: str) -> list[JournalEntry]:
        return journal.entries_of(self.session, matter)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once the facts are durable (wake-ups only: it must not fail the request)."""
        self._after.append(action)

    def know_answer(self, question: Question, row: lean.Row) -> None:
        """A question that travelled with another statement, and its answer (all None: there was no row)."""
        self._answered = question, row

    def ask(self, question: Question) -> lean.Row | None:
        """The one row that answers a question, which may have been asked already."""
        return self.ask_each([question])

    def ask_each(self, questions: Sequence[Question]) -> lean.Row | None:
        """The one row that answers the last of several questions, each asked after the one before it has ended."""
        if self._answered is not None and self._answered[0] == questions[-1]:
            row, self._answered = self._answered[1], None
            return row if any(value is not None for value in row) else None
        one = len(questions) == 1
        return (self.execute(*questions[0]) if one else self.execute_each(questions)[-1]).fetchone()

    def at_the_end(self, statement: str, values: Mapping[str, Any]) -> None:
        """Send a statement (it returns nothing; its parameters collide with none of ours) with the unit's last."""
        self._last.add(statement, values)

    def ends_with(
        self, steps: str, result: str, values: Mapping[str, Any], judge: Callable[[lean.Row], None]
    ) -> None:
        """Let the unit's last statement do these steps (parts of a WITH) and show `judge` their result.

        It may raise, and then nothing was done; it may send more.
        """
        self._last.end(steps, result, values)
        self._judge = judge

    def close(self) -> list[Callable[[], None]]:
        """Write everything, check the debts, commit; returns what is to be done afterwards."""
        self.flush_rows()
        for owed, matter in self._owed:
            if not any(isinstance(event, owed) and event.matter == matter for event in self._recorded):
                raise OwedEvent(f"a step on {matter} owes the event {owed.__name__}")
        rows = self._write_pages(self._last, ends=self._judge is None)
        if self._judge is not None and rows is not None and (row := rows.fetchone()) is not None:
            self._judge(row)
        self.commit()
        return self._after

    def _write_pages(self, last: book.Last, *, ends: bool = False) -> lean.Rows | None:
        pages, self._pages = self._pages, {}
        rows = book.write(self, pages, clock.wire_now(), last, ends=ends)
        if any(outbox.ears_of(event) for page in pages.values() for event in page.events):
            self._after.extend(waker for waker in _wakers if waker not in self._after)
        return rows

    def _page(self, matter: str) -> book.Page:
        return self._pages.setdefault(matter, book.Page())

    def _write(
        self, matter: str, subject: str, what: tuple[str, str, str, str], by: Actor,
        at: datetime | None, facts: Mapping[str, Any] | None,
    ) -> None:  # fmt: skip
        now = clock.now()
        if at is not None and at.tzinfo is None:
            raise ValueError("a naive datetime has no place in the journal")
        trigger, source, target, says = what
        entry = JournalEntry(
            matter, subject, trigger, source, target, says, at or now, now, by, dict(facts or {})
        )
        self._page(matter).entries.append(entry)


@contextmanager
def unit() -> Iterator[Unit]:
    """One transaction; commits at the end of the block, rolls back on any exception. Units do not nest."""
    if is_open():
        raise RuntimeError("a unit is already open in this thread")
    u = Unit()
    _open.unit = True
    try:
        yield u
        after = u.close()
    except IntegrityError as error:
        u.undo()
        if (told := _constraints.get(_constraint_of(error))) is not None:
            raise told() from error
        raise
    except BaseException:
        u.undo()
        raise
    finally:
        _open.unit = False
        u.leave()
    for action in after:
        action()


def run_unit(work: Callable[[Unit], T]) -> T:
    """Run `work` in a unit; repeat it on deadlock, serialization failure, or a connection lost before commit.

    So is a race lost on a constraint of `retry_on`; where that is mapped, once: its problem is the last resort.
    Raises OutcomeUnknown when the connection was lost during the commit.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with unit() as u:
                result = work(u)
            return result
        except (DBAPIError, Problem) as error:
            cause, last = (error, ATTEMPTS) if isinstance(error, DBAPIError) else (error.__cause__, 2)
            if attempt >= last or not isinstance(cause, DBAPIError) or not _may_repeat(cause):
                raise
            clock.sleep(0.02 * attempt)
    raise AssertionError("unreachable")


def is_open() -> bool:
    """Whether this thread has a transaction open: nobody may call outside then."""
    return bool(getattr(_open, "unit", False))


def map_constraint(name: str, problem: Callable[[], Problem]) -> None:
    """Let the last race be decided by the database and still be told politely."""
    _constraints[name] = problem


def retry_on(name: str) -> None:
    """A race lost on this constraint is run again: the second look finds what the winner made."""
    _retried.add(name)


def on_recorded(waker: Callable[[], None]) -> None:
    """Register what is called after a commit that left work for the relay."""
    if waker not in _wakers:
        _wakers.append(waker)


def _constraint_of(error: DBAPIError) -> str:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""


def _may_repeat(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in _REPEATABLE or _constraint_of(error) in _retried:
        return True
    return bool(error.connection_invalidated)
