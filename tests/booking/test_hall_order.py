"""The order at the windows: total, fair, and nobody waits forever."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.booking.hall.order import DUE_BEFORE, PASSED_BEHIND, Desk, Waiting, line_at, outlook

NINE = datetime(2026, 11, 25, 1, tzinfo=UTC)
PACE = timedelta(minutes=10)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def walk_in(name: str, came: float, behind: int = 0) -> Waiting:
    return Waiting(name, at(came), behind=behind)


def booked(name: str, came: float, for_: float, behind: int = 0) -> Waiting:
    return Waiting(name, at(came), at(for_), behind)


def names(waiting: list[Waiting], now: float, *, first: bool) -> list[str]:
    return [one.id for one in line_at(waiting, at(now), booked_first=first)]


_minutes = st.integers(-60, 240)
_people = st.lists(
    st.builds(
        Waiting,
        id=st.uuids().map(str),
        queued_at=_minutes.map(at),
        starts_at=st.none() | _minutes.map(at),
        behind=st.integers(-2, PASSED_BEHIND),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


def test_at_a_marked_window_booked_people_go_first() -> None:
    queue = [walk_in("w1", 0), walk_in("w2", 5), booked("b", 20, 30)]
    assert names(queue, 20, first=True) == ["b", "w1", "w2"]


def test_an_appointment_far_ahead_takes_nothing_yet() -> None:
    queue = [walk_in("w1", 0), booked("b", 1, 60), walk_in("w2", 5)]
    assert names(queue, 10, first=True) == ["w1", "w2", "b"]
    assert names(queue, 60 - DUE_BEFORE / timedelta(minutes=1), first=True) == ["b", "w1", "w2"]


def test_earlier_appointments_go_first_among_booked() -> None:
    queue = [booked("ten", 10, 60), booked("half past nine", 25, 30)]
    assert names(queue, 50, first=True) == ["half past nine", "ten"]


def test_at_other_windows_an_appointment_counts_from_its_time() -> None:
    queue = [walk_in("before", 20), booked("b", 10, 30), walk_in("after", 31)]
    assert names(queue, 40, first=False) == ["before", "b", "after"]


def test_who_comes_late_counts_from_arrival() -> None:
    late = booked("b", 45, 30)
    assert late.time == at(45)


def test_who_was_passed_over_lets_three_go_first() -> None:
    queue = [walk_in("p", 0, behind=3), *(walk_in(f"w{n}", n) for n in range(1, 6))]
    assert names(queue, 10, first=False) == ["w1", "w2", "w3", "p", "w4", "w5"]
    assert names([queue[0], queue[1]], 10, first=False) == ["w1", "p"]
    assert names([queue[0]], 10, first=False) == ["p"]


def test_two_passed_over_keep_their_order() -> None:
    queue = [
        walk_in("p1", 0, behind=3),
        walk_in("p2", 1, behind=3),
        *(walk_in(f"w{n}", n) for n in range(2, 7)),
    ]
    assert names(queue, 10, first=False) == ["w2", "w3", "w4", "p1", "p2", "w5", "w6"]


@given(_people, _minutes, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_is_total_and_needs_no_luck(
    people: list[Waiting], now: int, first: bool, luck: random.Random
) -> None:
    line = line_at(people, at(now), booked_first=first)
    shuffled = people[:]
    luck.shuffle(shuffled)
    assert line_at(shuffled, at(now), booked_first=first) == line
    assert sorted(one.id for one in line) == sorted(one.id for one in people)


@given(_people, _minutes)
def test_at_a_marked_window_nobody_goes_before_who_is_due(people: list[Waiting], now: int) -> None:
    ready = [one for one in people if one.behind <= 0]
    due = [one for one in ready if one.starts_at and one.starts_at - DUE_BEFORE <= at(now)]
    line = line_at(ready, at(now), booked_first=True)
    assert set(line[: len(due)]) == set(due)


@given(_people, st.integers(0, 240), st.booleans(), st.none() | _minutes)
def test_nobody_new_goes_before_who_waits(
    people: list[Waiting], now: int, first: bool, starts: int | None
) -> None:
    """A newcomer takes no place of those whose time has come, unless due at a marked window."""
    there = [one for one in people if one.behind <= 0 and one.time <= at(now)]
    newcomer = Waiting("new", at(now) + timedelta(seconds=1), None if starts is None else at(starts))
    line = line_at([*there, newcomer], at(now), booked_first=first)
    assert [one for one in line if one is not newcomer] == line_at(there, at(now), booked_first=first)
    if not first or newcomer.starts_at is None:
        assert line[-1] is newcomer


@given(st.data())
def test_everybody_is_called_in_bounded_time(data: st.DataObject) -> None:
    """Somebody arrives before each call, and some who are called are passed over (twice each at most)."""
    queue = {one.id: one for one in (walk_in(f"w{n}", n) for n in range(data.draw(st.integers(1, 8))))}
    passes: dict[str, int] = {}
    old, calls = set(queue), 0
    while old:
        calls += 1
        now = 100 + calls
        queue[f"n{calls}"] = walk_in(f"n{calls}", now)
        called = line_at(queue.values(), at(now), booked_first=data.draw(st.booleans()))[0]
        queue = {
            one.id: Waiting(one.id, one.queued_at, one.starts_at, one.behind - 1) for one in queue.values()
        }
        if passes.get(called.id, 0) < 2 and data.draw(st.booleans()):
            passes[called.id] = passes.get(called.id, 0) + 1
            queue[called.id] = Waiting(called.id, called.queued_at, called.starts_at, PASSED_BEHIND)
        else:
            del queue[called.id]
            old.discard(called.id)
        assert calls <= 8 * (1 + 2 * (1 + PASSED_BEHIND))


def test_the_outlook_shares_the_work_among_windows() -> None:
    queue = [walk_in(f"w{n}", n) for n in range(6)]
    busy = [Desk(False, True)] * 2
    told = [outlook(f"w{n}", queue, busy, PACE, at(10)) for n in range(6)]
    assert [seen.ahead for seen in told] == [0, 1, 2, 3, 4, 5]
    assert [seen.minutes for seen in told] == [5, 10, 15, 20, 25, 30]


def test_an_idle_window_takes_the_first_at_once() -> None:
    desks = [Desk(False, True), Desk(False, False)]
    assert outlook("w", [walk_in("w", 0)], desks, PACE, at(1)).minutes == 0


def test_without_an_open_window_no_time_is_promised() -> None:
    seen = outlook("w2", [walk_in("w1", 0), walk_in("w2", 1)], [], PACE, at(2))
    assert (seen.ahead, seen.minutes) == (1, None)


def test_booked_people_see_the_marked_window_walk_ins_the_other() -> None:
    queue = [*(walk_in(f"w{n}", n) for n in range(4)), booked("b", 25, 30)]
    desks = [Desk(True, True), Desk(False, True)]
    assert outlook("b", queue, desks, PACE, at(25)).ahead == 0
    assert outlook("w3", queue, desks, PACE, at(25)).ahead == 3
    assert outlook("w0", queue, [Desk(True, True)], PACE, at(25)).ahead == 1
