"""Fixtures of the courier tests; whatever a test does, every piece is accounted for afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest

import courier
from backend import catalogue
from backend.kernel import clock
from backend.store.unit import SYSTEM, run_unit
from tests.courier.makers import Bureau, Citizen


@pytest.fixture(scope="session")
def _open(town: Any) -> Bureau:
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    return Bureau(town)


@pytest.fixture
def bureau(_open: Bureau) -> Iterator[Bureau]:
    """The bureau in fair weather; its books are looked into afterwards."""
    yield _open
    _open.town.control("/faults", method="DELETE")
    clock.reset()
    assert run_unit(courier.check_books) == []


@pytest.fixture
def citizen(bureau: Bureau) -> Citizen:
    """Somebody with a case whose originals are awaited by mail."""
    return bureau.citizen()
