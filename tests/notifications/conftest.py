"""Fixtures of the bureau's tests: a weekday morning, a resident, and books that must be sound afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest

import notifications
from backend.kernel import clock
from backend.store.unit import run_unit
from notifications import sending
from tests.notifications.makers import Resident, resident


@pytest.fixture
def person(town: Any) -> Resident:
    """Somebody with a phone and WeChat, in the morning of today; fair weather."""
    return resident(town)


@pytest.fixture(autouse=True)
def _a_morning(request: pytest.FixtureRequest) -> Iterator[None]:
    if "town" not in request.fixturenames:
        yield
        return
    town = request.getfixturevalue("town")
    clock.move_to(clock.at_local(clock.today(), 10))
    # What other tests left behind must not catch the weather of this one.
    while sending.send_batch():
        pass
    yield
    town.control("/faults", method="DELETE")
    clock.reset()
    assert run_unit(notifications.check_books) == []
