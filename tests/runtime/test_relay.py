import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from backend.contracts import CaseResumed, CaseWithdrawn
from backend.kernel import clock
from backend.runtime import housekeeping, relay
from backend.store import outbox
from backend.store.unit import Unit, run_unit, unit
from tests.runtime.ears import (
    CAUGHT,
    DEAF,
    HEARD,
    all_due,
    deliveries,
    heard_by,
    left,
    record,
    right,
    written,
)
from tests.store.doors import ask, listening, put, tell, together, value

pytestmark = pytest.mark.usefixtures("ears")


def test_every_ear_hears_every_event_once_and_in_order() -> None:
    record("cs-1", "a", "b", "c")
    assert deliveries("state = 'due'") == 6
    assert relay.relay_all() == 6
    assert heard_by("left") == heard_by("right") == ["a", "b", "c"]
    assert deliveries("state = 'done' AND done_at IS NOT NULL") == 6
    assert relay.relay_all() == 0


def test_an_event_comes_to_its_ear_as_it_was_recorded() -> None:
    record("cs-1", "ps-1")
    relay.relay_all()
    assert [CaseWithdrawn("cs-1", "ps-1")] * 2 == CAUGHT


def test_an_event_that_nobody_hears_is_kept_all_the_same() -> None:
    run_unit(lambda u: u.record(CaseResumed("cs-1", "ps-1")))
    assert deliveries() == 0
    assert ask("SELECT payload->>'person_id' FROM store_outbox WHERE kind = 'CaseResumed'") == "ps-1"


def test_a_unit_that_failed_tells_nobody() -> None:
    def work(u: Unit) -> None:
        u.record(CaseWithdrawn("cs-1", "a"))
        u.flush()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_unit(work)
    assert (deliveries(), ask("SELECT count(*) FROM store_outbox")) == (0, 0)


def test_what_an_ear_writes_and_that_it_heard_are_one_thing() -> None:
    DEAF.add("left")
    record("cs-1", "a")
    assert relay.relay_all() == 2
    assert written() == 1, "what the deaf ear wrote is gone"
    assert ask("SELECT state || tries FROM store_delivery WHERE ear LIKE '%left'") == "due1"
    DEAF.clear()
    all_due()
    assert relay.relay_all() == 1
    assert (written(), deliveries("state = 'done'")) == (2, 2)


def test_two_relays_at_once_deliver_exactly_once() -> None:
    for n in range(8):
        record(f"cs-{n}", "a", "b", "c")
    outcomes = together(*[relay.relay_all] * 4)
    while relay.relay_all():
        pass
    assert sum(outcomes) <= 48
    assert deliveries("state = 'done'") == 48
    assert written() == 48
    for n in range(8):
        order = ask("SELECT string_agg(split_part(id, ' ', 3), '' ORDER BY split_part(id, ' ', 4)) FROM t_thing"
                    " WHERE id LIKE :who", who=f"left cs-{n} %")  # fmt: skip
        assert order == "abc"


def test_an_event_in_another_relays_hands_is_not_overtaken() -> None:
    record("cs-1", "a", "b")
    with unit() as u:
        first = outbox.claim(u.session, clock.wire_now())
        assert first
        seen = together(relay.relay_once)[0]
        assert seen, "the other ear's first one is free"
        assert together(relay.relay_once) == [True], "and its second one"
        assert together(relay.relay_once) == [False], "but not what waits for ours"
    assert [person for _, person in HEARD] == ["a", "b"]
    assert len({name for name, _ in HEARD}) == 1


def test_an_unknown_ear_is_not_lost() -> None:
    record("cs-1", "a")
    with listening({CaseWithdrawn: (right,)}):
        assert relay.relay_all() == 2
        last = "SELECT last_error FROM store_delivery WHERE ear = :e"
        assert "no ear is called" in ask(last, e=outbox.ear_name(left))
    all_due()
    relay.relay_all()
    assert heard_by("left") == ["a"]


def test_an_event_of_another_age_waits_to_be_understood() -> None:
    record("cs-1", "a")
    tell("UPDATE store_delivery SET kind = 'NobodyKnows'")
    assert relay.relay_all() == 2
    assert deliveries("state = 'due' AND last_error LIKE 'KeyError%'") == 2


def test_an_ear_may_tell_the_next_one() -> None:
    def teller(u: Unit, event: CaseWithdrawn) -> None:
        u.record(CaseResumed(event.matter, event.person_id))

    def last(u: Unit, event: CaseResumed) -> None:
        HEARD.append(("last", event.person_id))

    with listening({CaseWithdrawn: (teller,), CaseResumed: (last,)}):
        record("cs-1", "a")
        assert relay.relay_all() == 2
    assert heard_by("last") == ["a"]


def test_an_ear_that_races_is_repeated_before_it_fails() -> None:
    meeting = threading.Barrier(2)
    tries: list[str] = []

    def racing(u: Unit, event: CaseWithdrawn) -> None:
        tries.append(event.matter)
        order = ("x", "y") if event.matter == "cs-1" else ("y", "x")
        for place, key in enumerate(order):
            u.session.execute(text("UPDATE t_thing SET n = n + 1 WHERE id = :k"), {"k": key})
            if place == 0 and len(tries) <= 2:
                meeting.wait(10)

    for key in ("x", "y"):
        run_unit(lambda u, k=key: put(u, k))
    racing.__qualname__ = "racing"
    with listening({CaseWithdrawn: (racing,)}):
        record("cs-1", "a")
        record("cs-2", "b")
        together(relay.relay_once, relay.relay_once)
    assert (value("x"), value("y"), len(tries)) == (2, 2, 3)
    assert deliveries("state = 'done' AND tries = 0") == 2


def test_a_moved_business_clock_delays_no_delivery() -> None:
    clock.advance(timedelta(days=300))
    record("cs-1", "a")
    clock.reset()
    assert relay.relay_all() == 2


def test_the_chore_lingers_for_what_comes_a_moment_later() -> None:
    record("cs-1", "a")
    later = threading.Timer(0.15, record, ("cs-1", "b"))
    later.start()
    assert relay.deliver() == 4
    later.join()


def test_what_was_delivered_long_ago_is_purged() -> None:
    record("cs-1", "a", "b")
    relay.relay_all()
    tell("UPDATE store_delivery SET done_at = done_at - interval '91 days' WHERE ear LIKE '%left'")
    record("cs-1", "c")
    assert housekeeping.purge() == 2
    assert deliveries("state = 'done'") == 2
    assert deliveries("state = 'due'") == 2


def test_names_of_ears_outlive_a_restart() -> None:
    assert outbox.ear_name(left) == "tests.runtime.ears.left"
    assert outbox.ear(outbox.ear_name(left)) is left
    names = outbox.ears_of(CaseWithdrawn("cs-1", "ps-1"))
    assert names == (outbox.ear_name(left), outbox.ear_name(right))
