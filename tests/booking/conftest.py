"""The offices of the tests: real sites, the published items, and books that must be in order afterwards."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from backend import booking, catalogue
from backend.kernel import clock
from backend.store.unit import SYSTEM, run_unit, unit


@pytest.fixture(scope="session")
def _offices(database: str) -> None:
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    sites = json.loads(Path("data/sites.json").read_text("utf-8"))
    run_unit(lambda u: booking.load_sites(u, sites))


MONDAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _sound(_offices: None) -> Iterator[None]:
    """Every test begins on a Monday at ten, whenever it is run, and leaves sound books, whatever it did."""
    clock.move_to(clock.at_local(MONDAY, 10))
    yield
    clock.reset()
    with unit() as u:
        assert booking.check_books(u) == []
