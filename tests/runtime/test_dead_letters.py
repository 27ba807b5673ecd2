import logging

import pytest

from backend.kernel import clock
from backend.runtime import housekeeping, relay
from backend.store import outbox
from backend.store.unit import run_unit, unit
from tests.runtime.ears import DEAF, HEARD, all_due, deliveries, heard_by, left, record
from tests.store.doors import ask, tell

pytestmark = pytest.mark.usefixtures("ears")


def test_a_failing_ear_waits_longer_each_time() -> None:
    DEAF.add("left")
    record("cs-1", "a")
    pauses = []
    for _ in range(len(outbox.BACK_OFF) - 1):
        all_due()
        at = clock.wire_now()
        relay.relay_all()
        due = ask("SELECT due_at FROM store_delivery WHERE ear LIKE '%left'")
        pauses.append(round((due - at).total_seconds()))
    assert tuple(pauses) == outbox.BACK_OFF[:-1]
    assert relay.relay_all() == 0, "before its pause is over it is left in peace"


def bury() -> None:
    for _ in range(len(outbox.BACK_OFF)):
        all_due()
        relay.relay_all()


def test_after_the_last_try_a_letter_is_dead_and_seen(caplog: pytest.LogCaptureFixture) -> None:
    DEAF.add("left")
    record("cs-1", "a")
    with caplog.at_level(logging.ERROR):
        bury()
    assert ask(
        "SELECT state || ' ' || tries || ' ' || last_error FROM store_delivery WHERE ear LIKE '%left'"
    ) == ("dead 10 Conflict: conflict: nobody listens")
    assert caplog.messages.count("an ear failed") == 10
    with unit() as u:
        assert outbox.backlog(u.session) == {"due": 0, "dead": 1}
    assert housekeeping.measure() == 1
    all_due()
    assert relay.relay_all() == 0


def test_a_dead_letter_blocks_only_its_own_stream_and_ear() -> None:
    DEAF.add("left a")
    record("cs-1", "a")
    bury()
    HEARD.clear()
    record("cs-1", "b")
    record("cs-2", "c")
    relay.relay_all()
    assert heard_by("left") == ["c"], "its own stream waits"
    assert heard_by("right") == ["b", "c"], "the other ear hears on"


def test_a_waiting_event_blocks_only_its_own_stream_and_ear() -> None:
    DEAF.add("left cs-1")
    record("cs-1", "a", "b")
    record("cs-2", "c")
    relay.relay_all()
    assert heard_by("left") == ["a", "c"]
    assert heard_by("right") == ["a", "b", "c"]


def test_a_dead_letter_that_is_revived_is_heard_in_order() -> None:
    DEAF.add("left a")
    record("cs-1", "a")
    bury()
    record("cs-1", "b")
    relay.relay_all()
    HEARD.clear()
    DEAF.clear()
    assert run_unit(lambda u: outbox.revive(u.session, clock.wire_now())) == 1
    relay.relay_all()
    assert heard_by("left") == ["a", "b"]


@pytest.mark.parametrize(
    ("ear", "event", "count"), [("", 0, 4), ("left", 0, 2), ("", 1, 2), ("left", 1, 1), ("x", 0, 0)]
)
def test_dead_letters_of_one_ear_or_event_may_be_revived(ear: str, event: int, count: int) -> None:
    record("cs-1", "a")
    record("cs-2", "b")
    tell("UPDATE store_delivery SET state = 'dead', tries = 10")
    name = outbox.ear_name(left) if ear == "left" else ear
    number = int(ask("SELECT min(event_id) FROM store_delivery")) if event else 0
    assert run_unit(lambda u: outbox.revive(u.session, clock.wire_now(), name, number)) == count
    assert deliveries("state = 'due' AND tries = 0") == count
