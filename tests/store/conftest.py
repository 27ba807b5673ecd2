"""A database of the chapter's own, so that nothing here is heard by, or hears of, the rest of the town."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from backend.store import engine
from tests.store.doors import TABLE
from tests.support import fresh_town


@pytest.fixture(scope="module")
def ground(database: str) -> Iterator[str]:
    """URL of an own database with all tables, and one table of things to write to."""
    with fresh_town() as url:
        with engine.engine().begin() as connection:
            connection.execute(text(TABLE))
        yield url
