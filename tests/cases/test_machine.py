"""The table of moves: what can be reached, what is final, and what the law does not allow."""

from hypothesis import given
from hypothesis import strategies as st

from backend.cases.machine import CASE, OPEN_STATES

_triggers = st.lists(st.sampled_from(sorted({move.trigger for move in CASE.moves})), max_size=30)


def _walk(triggers: list[str]) -> list[tuple[str, str, str]]:
    """Try the triggers one after the other from the start; the steps that were possible."""
    state, steps = CASE.start, []
    for trigger in triggers:
        if CASE.can(state, trigger):
            target = CASE.move(state, trigger).target
            steps.append((state, trigger, target))
            state = target
    return steps


def test_every_state_can_be_reached() -> None:
    assert CASE.reachable() == CASE.states


def test_delivered_refused_and_withdrawn_cases_rest() -> None:
    assert CASE.terminal == {"delivered", "not_accepted", "withdrawn"}
    assert "closed" not in OPEN_STATES


@given(_triggers)
def test_nothing_is_decided_before_it_is_accepted(triggers: list[str]) -> None:
    seen = [target for _, _, target in _walk(triggers)]
    for decision in ("granted", "denied"):
        if decision in seen:
            assert "accepted" in seen[: seen.index(decision)]


@given(_triggers)
def test_nothing_is_withdrawn_after_the_decision(triggers: list[str]) -> None:
    for source, trigger, _ in _walk(triggers):
        assert trigger != "withdrawn" or source not in {"granted", "denied", "finished", "delivered"}


@given(_triggers)
def test_an_accepted_case_is_never_corrected_again(triggers: list[str]) -> None:
    accepted = False
    for _, trigger, target in _walk(triggers):
        accepted = accepted or target == "accepted"
        assert not (accepted and trigger in {"correction_requested", "not_accepted"})
