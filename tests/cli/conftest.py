"""A town of the chapter's own, and somebody who types commands in it."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from flask import Flask

from tests.support import fresh_town

Type = Callable[..., Result]


@pytest.fixture(scope="session")
def product(database: str) -> Flask:
    """The whole product. Its import binds the store, so it comes before any town of our own."""
    import wsgi

    return wsgi.app


@pytest.fixture
def type_in(product: Flask) -> Type:
    """Type `flask --app wsgi town ...`; the outcome is what a terminal would show."""

    def run(*words: str, **more: object) -> Result:
        with product.app_context():  # as the `flask` command does
            return product.test_cli_runner().invoke(args=["town", *words], **more)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def empty_town(product: Flask) -> Iterator[str]:
    """All tables, and nothing in them."""
    with fresh_town(pool=4) as url:
        yield url
