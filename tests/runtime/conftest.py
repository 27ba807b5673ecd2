"""The tiny window, open over a database of its own."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from backend.contracts import CaseWithdrawn
from backend.store import engine
from tests.runtime.ears import CAUGHT, DEAF, HEARD, left, right
from tests.runtime.windows import WORK, Visitor, recognising, served, tiny_app
from tests.store.doors import TABLE, listening, tell
from tests.support import fresh_town


@pytest.fixture(scope="module")
def ground(database: str) -> Iterator[str]:
    """URL of an own database with all tables, and one table of things to write to."""
    with fresh_town() as url:
        with engine.engine().begin() as connection:
            connection.execute(text(TABLE))
        yield url


@pytest.fixture(scope="module")
def _open(ground: str) -> Iterator[str]:
    with recognising(), served(tiny_app()) as base_url:
        yield base_url


@pytest.fixture
def visitor(_open: str) -> Visitor:
    """Somebody at the window; whatever was done before is forgotten."""
    WORK.reset()
    return Visitor(_open)


@pytest.fixture
def ears(ground: str) -> Iterator[None]:
    """Two ears for withdrawals, neither deaf; nothing waits for them yet."""
    HEARD.clear()
    CAUGHT.clear()
    DEAF.clear()
    tell("TRUNCATE store_outbox, store_delivery, t_thing")
    with listening({CaseWithdrawn: (left, right)}):
        yield
