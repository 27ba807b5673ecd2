"""Whatever order the news comes in, and however often, the parcel ends in the same state (ANCHORS 22)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from courier.machine import PARCEL, STATE_OF
from courier.merge import NOTE, Heard, furthest, stronger

DAY = datetime(2026, 3, 2, tzinfo=UTC)
heard = st.builds(
    Heard,
    st.sampled_from([*STATE_OF, NOTE]),
    st.integers(0, 12).map(lambda hours: DAY + timedelta(hours=hours)),
)
stories = st.lists(heard, max_size=12)


def follow(news: list[Heard]) -> str:
    """Live through the news one by one, as the bureau does."""
    state, known = "created", []
    for trace in news:
        known.append(trace)
        decided = furthest(known)
        if decided is not None and STATE_OF[decided.trigger] != state:
            state = PARCEL.move(state, decided.trigger).target
    return state


@settings(deadline=None)
@given(stories, st.randoms(use_true_random=False))
def test_any_order_and_repetition_end_in_one_state(news: list[Heard], dice: object) -> None:
    shuffled = news + news[: len(news) // 2]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert follow(shuffled) == follow(news)


@settings(deadline=None)
@given(stories, heard)
def test_backward_news_never_lowers_the_road(news: list[Heard], late: Heard) -> None:
    road = ["created", "ordered", "assigned", "collected", "in_transit", "out_for_delivery", "delivered"]
    before, after = follow(news), follow([*news, late])
    if before in road and after in road:
        assert road.index(after) >= road.index(before)


@settings(deadline=None)
@given(stories)
def test_every_change_of_mind_is_a_legal_move(news: list[Heard]) -> None:
    assert follow(news) in PARCEL.states


def test_a_note_of_unknown_meaning_moves_nothing() -> None:
    assert furthest([Heard(NOTE, DAY)]) is None


def test_later_movement_ends_a_setback() -> None:
    news = [Heard("collected", DAY), Heard("troubled", DAY + timedelta(hours=1))]
    assert follow(news) == "troubled"
    assert follow([*news, Heard("moved", DAY + timedelta(hours=2))]) == "in_transit"


def test_an_older_setback_told_late_changes_nothing() -> None:
    news = [Heard("moved", DAY + timedelta(hours=2)), Heard("troubled", DAY)]
    assert follow(news) == "in_transit"


def test_a_parcel_that_came_home_was_not_delivered() -> None:
    news = [Heard("delivered", DAY), Heard("returned", DAY + timedelta(days=2))]
    assert follow(news) == "returned"


def test_the_same_trace_with_a_code_is_the_better_one() -> None:
    assert stronger(NOTE, "sent_out") == "sent_out"
    assert stronger("delivered", NOTE) == "delivered"


def test_every_state_is_worded_and_reachable() -> None:
    assert PARCEL.reachable() == PARCEL.states
    assert {"checked", "returned", "cancelled"} == PARCEL.terminal
