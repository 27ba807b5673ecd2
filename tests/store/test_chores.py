from datetime import timedelta

import pytest

from backend.kernel import clock, ids
from backend.store import chores
from backend.store.chores import ChoreView
from backend.store.unit import run_unit
from tests.store.doors import tell, together

pytestmark = pytest.mark.usefixtures("ground")
LEASE = timedelta(seconds=60)


def take(name: str, owner: str) -> bool:
    return run_unit(lambda u: chores.take(u.session, name, owner, clock.wire_now(), LEASE))


def inherit(name: str, owner: str) -> bool:
    """Take the lease as somebody who knows that its owner "dead" is."""
    return run_unit(
        lambda u: chores.take(
            u.session, name, owner, clock.wire_now(), LEASE, lambda holder: holder == "dead"
        )
    )


def give_back(name: str, owner: str, done: int = 1, error: str | None = None) -> None:
    at = clock.wire_now()
    run_unit(
        lambda u: chores.give_back(
            u.session, name, owner, at=at, next_at=at + timedelta(seconds=30), done=done, error=error
        )
    )


def seen(name: str) -> ChoreView:
    found = run_unit(lambda u: chores.all_chores(u.session, clock.wire_now()))
    return next(one for one in found if one.name == name)


@pytest.fixture
def name() -> str:
    return ids.new_id("ch")


def test_a_lease_keeps_the_second_worker_away(name: str) -> None:
    assert take(name, "one")
    assert not take(name, "two")
    assert seen(name).running
    give_back(name, "one")
    assert not seen(name).running
    assert take(name, "two")


def test_ten_workers_at_once_get_one_lease(name: str) -> None:
    outcomes = together(*(lambda n=n: take(name, f"worker {n}") for n in range(10)))
    assert outcomes.count(True) == 1


def test_an_owner_who_comes_again_has_the_lease(name: str) -> None:
    assert take(name, "one")
    assert take(name, "one"), "the database died before the lease could be given back"
    assert not take(name, "two")


def test_the_lease_of_a_dead_owner_is_inherited_once(name: str) -> None:
    assert take(name, "dead")
    heirs = [lambda n=n: inherit(name, f"worker {n}") for n in range(10)]
    assert together(*heirs).count(True) == 1
    assert not inherit(name, "late")


def test_a_stale_lease_is_taken_over(name: str) -> None:
    assert take(name, "dead")
    tell("UPDATE store_chore SET lease_until = lease_until - interval '61 seconds' WHERE name = :n", n=name)
    assert not seen(name).running
    assert take(name, "living")
    give_back(name, "dead", done=99)
    assert seen(name).running, "the dead one's late return changes nothing"
    assert seen(name).done_ever == 0


def test_a_moved_business_clock_keeps_no_lease_alive(name: str) -> None:
    clock.advance(timedelta(days=30))
    assert take(name, "one")
    clock.reset()
    tell("UPDATE store_chore SET lease_until = lease_until - interval '61 seconds' WHERE name = :n", n=name)
    assert take(name, "two")


def test_how_it_went_is_remembered(name: str) -> None:
    for done, error in ((3, None), (0, "ValueError: no"), (0, "x" * 900), (4, None)):
        take(name, "one")
        give_back(name, "one", done, error)
        if error:
            assert seen(name).last_error == error[:500]
    view = seen(name)
    assert (view.done_last, view.done_ever, view.failures, view.last_error) == (4, 7, 0, None)
    assert view.started_at
    assert view.finished_at
    assert view.next_at
    assert view.next_at > view.finished_at >= view.started_at


def test_failures_in_a_row_are_counted(name: str) -> None:
    for _ in range(3):
        take(name, "one")
        give_back(name, "one", 0, "trouble")
    assert seen(name).failures == 3
