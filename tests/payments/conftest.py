"""Fixtures of the payments tests; whatever a test does, the books must be sound afterwards."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import payments
from backend.kernel import clock, ids
from backend.store.unit import run_unit
from payments.questions import payment_view
from payments.subjects import open_payments
from tests.payments.makers import CLERK, FINE_OF_100_YUAN, Desk, closed, hear
from tests.payments.street import Street


@pytest.fixture
def desk(database: str) -> Desk:
    """A person with a case of their own."""
    case_id = ids.new_id("cs")
    return Desk(ids.new_id("ps"), payments.subject_of_case(case_id), case_id)


@pytest.fixture(autouse=True)
def _books_are_sound(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does, the books balance afterwards."""
    checked = "database" in request.fixturenames
    if checked:
        request.getfixturevalue("database")
    before = set(run_unit(payments.check_books)) if checked else set()
    yield
    if checked:
        clock.reset()
        assert set(run_unit(payments.check_books)) <= before
        assert sum(run_unit(payments.balances).values()) == 0


@pytest.fixture
def bill(database: str) -> Callable[..., payments.BillView]:
    """Issues a bill; words given replace those of a fine of 100 yuan issued today."""

    def issue(**words: Any) -> payments.BillView:
        told = {"notice_no": ids.digits(20), "issued_on": clock.today()} | words
        return run_unit(lambda u: payments.issue_bill(u, replace(FINE_OF_100_YUAN, **told), CLERK))

    return issue


@pytest.fixture
def street(town: Any, desk: Desk) -> Iterator[Street]:
    """The payer in front of the open town; afterwards fair weather again, and nothing left to be paid."""
    yield Street(town, desk)
    town.control("/faults", method="DELETE")
    for payment in run_unit(lambda u: [payment_view(row, 0) for row in open_payments(u, desk.subject)]):
        hear(closed(payment))
