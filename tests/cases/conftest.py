from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, text

import miniprogram_api
from backend import catalogue, department, people
from backend.catalogue import calendars
from backend.runtime import audience, web
from backend.store import engine
from backend.store.unit import run_unit, unit
from tests.cases import makers
from tests.cases.visitors import Visitors


@pytest.fixture(scope="session")
def items(database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The registers with departments, calendar, and the test items published."""
    run_unit(catalogue.load_base_data)
    makers.publish_items(tmp_path_factory.mktemp("items"))


@pytest.fixture
def statements(database: str) -> Iterator[list[str]]:
    """Every SQL statement sent while the test runs (BEGIN and COMMIT are not statements here)."""
    sent: list[str] = []

    def listen(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    bound = engine.engine()
    event.listen(bound, "before_cursor_execute", listen)
    yield sent
    event.remove(bound, "before_cursor_execute", listen)


@pytest.fixture
def calendar_of_2027(items: None, tmp_path: Path) -> Iterator[Path]:
    """A notice for 2027 that a test may load; taken out again afterwards."""
    yield makers.calendar_file(tmp_path, 2027)
    with unit() as u:
        u.session.execute(text("DELETE FROM catalogue_calendar_day WHERE year = 2027"))
        u.session.execute(text("DELETE FROM catalogue_calendar_year WHERE year = 2027"))
    calendars.forget()


@pytest.fixture(scope="session")
def http(items: None) -> FlaskClient:
    """Both windows over HTTP, with the real doorkeepers; undocumented problems answer 500."""
    audience.recognise(
        "citizen", people.citizen, people.TOKEN_PROBLEMS, people.citizen_folded, people.folded.SESSION
    )
    refusals = people.TOKEN_PROBLEMS + people.SIGNATURE_PROBLEMS
    audience.recognise("department", people.staff_or_system, refusals)
    app = web.build([miniprogram_api.SURFACE, department.SURFACE], [], mode="test", ready=lambda: True)
    return app.test_client()


@pytest.fixture
def visitor(http: FlaskClient) -> Visitors:
    """Makes clients who are signed in."""
    return Visitors(http)
