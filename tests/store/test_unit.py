import threading
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from backend.contracts import CaseFinished, CaseWithdrawn
from backend.kernel.problems import Conflict, ImpossibleMove
from backend.store import unit as units
from backend.store.unit import CLOCK, SYSTEM, OwedEvent, Unit, is_open, run_unit, unit
from tests.store.doors import DOOR, Door, add, ask, listening, make_door, put, shut, tell, used_door, value

pytestmark = pytest.mark.usefixtures("ground")


class NameTaken(Conflict):
    """The test's own problem."""

    slug = "test-name-taken"
    title = "名称已被使用，请换一个。"


def hear(u: Unit, event: CaseWithdrawn) -> None:
    """Never called here."""


@pytest.mark.parametrize("trouble", [ValueError, Conflict, KeyboardInterrupt, OwedEvent])
def test_any_exception_leaves_nothing_behind(trouble: type[BaseException]) -> None:
    def work(u: Unit) -> None:
        put(u, "gone")
        shut(u, make_door(u))
        u.flush()
        raise trouble

    with listening({CaseWithdrawn: (hear,)}), pytest.raises(trouble):
        run_unit(work)
    assert value("gone") is None
    for table in ("store_journal", "store_stream", "store_outbox", "store_delivery"):
        assert ask(f"SELECT count(*) FROM {table}") == 0
    assert not is_open()


def test_a_unit_that_ends_well_is_kept() -> None:
    with unit() as u:
        put(u, "kept", 7)
    assert value("kept") == 7


def test_units_do_not_nest() -> None:
    with unit() as u:
        put(u, "outer")
        with pytest.raises(RuntimeError, match="already open"), unit():
            pass
        assert is_open()
    assert value("outer") == 0
    assert not is_open()


def test_each_thread_may_open_its_own_unit() -> None:
    seen: list[bool] = []
    with unit():
        thread = threading.Thread(target=lambda: seen.append(is_open()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_a_step_that_owes_an_event_must_record_it() -> None:
    door = run_unit(make_door)
    with pytest.raises(OwedEvent, match="CaseWithdrawn"), unit() as u:
        u.step(DOOR, door, "closed", by=CLOCK)
    assert ask("SELECT count(*) FROM store_journal WHERE matter = :m", m=door.id) == 1


@pytest.mark.parametrize("matter", ["another", "mine"])
def test_an_event_of_another_matter_or_kind_pays_no_debt(matter: str) -> None:
    door = run_unit(make_door)
    wrong = CaseFinished(door.id, "ps-1", "window") if matter == "mine" else CaseWithdrawn("cs-x", "ps-1")

    def work(u: Unit) -> None:
        u.step(DOOR, door, "closed", by=CLOCK)
        u.record(wrong)

    with pytest.raises(OwedEvent):
        run_unit(work)


def test_an_impossible_step_writes_nothing() -> None:
    door = run_unit(make_door)
    with pytest.raises(ImpossibleMove), unit() as u:
        u.step(DOOR, door, "opened", by=CLOCK)
    assert door.state == "open"


def test_birth_steps_and_notes_are_read_in_order() -> None:
    door = used_door()
    with unit() as u:
        u.note(door.id, "ma-1", "seen", by=SYSTEM, says="看过了", facts={"page": 2})
        u.flush()
        lines = u.journal_of(door.id)
    told = [(one.seq, one.trigger, one.source, one.target, one.says) for one in lines]
    assert told == [
        (1, "begun", "", "open", "有了门"),
        (2, "closed", "open", "shut", "门关上了"),
        (3, "opened", "shut", "open", "门打开了"),
        (4, "seen", "", "", "看过了"),
    ]
    assert (lines[3].subject_kind, lines[3].facts, lines[1].actor) == ("ma", {"page": 2}, SYSTEM)


def test_a_row_born_in_its_second_state_is_written_at_once() -> None:
    door = Door("open")
    with unit() as u:
        u.step(DOOR, door, "closed", by=SYSTEM, fresh=True)
        u.record(CaseWithdrawn(door.id, "ps-1"))
    with unit() as u:
        assert [line.trigger for line in u.journal_of(door.id)] == ["closed"]


def test_a_false_promise_of_freshness_is_refused() -> None:
    door = used_door()

    def work(u: Unit) -> None:
        u.step(DOOR, door, "closed", by=SYSTEM, fresh=True)
        u.record(CaseWithdrawn(door.id, "ps-1"))

    with pytest.raises(IntegrityError, match="pk_store_journal"):
        run_unit(work)
    assert ask("SELECT seq FROM store_stream WHERE id = :m", m=door.id) == 3


def test_a_naive_time_never_enters_the_journal() -> None:
    door = run_unit(make_door)
    with pytest.raises(ValueError, match="naive"), unit() as u:
        u.note(door.id, door.id, "seen", by=SYSTEM, at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_what_follows_the_commit_waits_for_it() -> None:
    seen: list[int | None] = []
    with unit() as u:
        put(u, "followed", 3)
        u.after_commit(lambda: seen.append(value("followed")))
        assert seen == []
    assert seen == [3]


def test_nothing_follows_a_unit_that_failed() -> None:
    seen: list[str] = []

    def work(u: Unit) -> None:
        u.after_commit(lambda: seen.append("called"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_unit(work)
    assert seen == []


def test_recorded_events_wake_the_relay_once() -> None:
    woken: list[int] = []

    def wake() -> None:
        woken.append(1)

    units.on_recorded(wake)
    try:
        with listening({CaseWithdrawn: (hear,)}), unit() as u:
            door = make_door(u)
            shut(u, door)
            u.flush()
            u.record(CaseWithdrawn(door.id, "ps-2"))
        assert woken == [1]
        with listening({}), unit() as u:
            u.record(CaseWithdrawn(door.id, "ps-3"))
        assert woken == [1]  # nobody listens to it any more
    finally:
        units._wakers.remove(wake)


def test_a_broken_constraint_is_told_as_its_problem() -> None:
    units.map_constraint("uq_t_thing_name", NameTaken)
    try:
        run_unit(lambda u: put(u, "first", name="一"))
        with pytest.raises(NameTaken):
            run_unit(lambda u: put(u, "second", name="一"))
        assert value("second") is None
    finally:
        units._constraints.pop("uq_t_thing_name")


def test_a_constraint_nobody_mapped_stays_what_it_is() -> None:
    run_unit(lambda u: put(u, "twice"))
    with pytest.raises(IntegrityError, match="t_thing_pkey") as caught:
        run_unit(lambda u: put(u, "twice"))
    assert caught.value.__cause__ is not caught.value


def test_a_race_that_may_be_repeated_finds_the_winner() -> None:
    units.retry_on("t_thing_pkey")
    run_unit(lambda u: put(u, "raced", 1))
    looks: list[int] = []

    def find_or_make(u: Unit) -> str:
        looks.append(1)
        found = u.session.execute(text("SELECT n FROM t_thing WHERE id = 'raced'")).scalar()
        if found is not None and len(looks) > 1:
            add(u, "raced")
            return "found"
        put(u, "raced", 1)  # the first look was too early
        return "made"

    try:
        assert run_unit(find_or_make) == "found"
        assert value("raced") == 2
    finally:
        units._retried.discard("t_thing_pkey")


def test_a_mapped_race_is_looked_at_twice_before_it_is_told() -> None:
    run_unit(lambda u: put(u, "looked", name="同名"))
    units.map_constraint("t_thing_pkey", NameTaken)
    units.retry_on("t_thing_pkey")
    looks: list[int] = []

    def make(u: Unit) -> None:
        looks.append(1)
        put(u, "looked")

    try:
        with pytest.raises(NameTaken):
            run_unit(make)
        assert len(looks) == 2
    finally:
        units._retried.discard("t_thing_pkey")
        units._constraints.pop("t_thing_pkey")


def test_errors_say_nothing_of_the_values() -> None:
    tell("INSERT INTO t_thing (id, name) VALUES ('private', '张某某')")
    with pytest.raises(IntegrityError, match="t_thing_pkey") as caught:
        run_unit(lambda u: put(u, "private", name="李某某"))
    assert "李某某" not in str(caught.value)
