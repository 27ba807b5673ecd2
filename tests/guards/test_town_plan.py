"""Guards of the town plan: windows, machines, events, lanes, tables, words."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from openapi_spec_validator import validate

import wsgi
from backend.cli import drawing
from backend.contracts import Event
from backend.kernel.privacy import scrub
from backend.migrations import commands, scope
from backend.runtime import audience, openapi, worker
from backend.store import engine
from backend.store.base import Base
from backend.tables import METADATA
from tests.support import fresh_database

ROOT = Path(__file__).parents[2]


def test_every_surface_declares_a_known_audience() -> None:
    for surface in wsgi.SURFACES:
        assert surface.audience in audience.AUDIENCES
        assert surface.routes
        assert all(route.audience in audience.AUDIENCES for route in surface.routes)


def test_every_route_belongs_to_a_surface_or_is_plumbing() -> None:
    plumbing = {"health", "docs", "home"}
    known = {surface.name for surface in wsgi.SURFACES} | plumbing
    strangers = [
        rule.endpoint
        for rule in wsgi.app.url_map.iter_rules()
        if rule.endpoint.split(".")[0] not in known and not rule.endpoint.startswith("callbacks_")
    ]
    assert not strangers


def test_the_openapi_document_is_valid() -> None:
    validate(openapi.document(wsgi.SURFACES, list(wsgi.app.url_map.iter_rules())))


def test_every_endpoint_has_a_summary_and_an_answer() -> None:
    silent = [
        f"{surface.prefix}{route.path}"
        for surface in wsgi.SURFACES
        for route in surface.routes
        if not route.summary or (route.answers is None and route.status not in (204, 200))
    ]
    assert not silent


def test_every_state_of_every_machine_is_reachable() -> None:
    for machine in wsgi.MACHINES:
        assert machine.reachable() == machine.states, machine.name


def test_every_state_is_worded_within_five_characters() -> None:
    for machine in wsgi.MACHINES:
        for state in machine.states:
            assert 0 < len(machine.label(state)) <= 5, (machine.name, state)


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("machines.md", lambda: drawing.machines_page(wsgi.MACHINES)),
        ("problems.md", drawing.problems_page),
        ("channels.md", drawing.channels_page),
    ],
)
def test_generated_documents_equal_the_code(name, page) -> None:  # type: ignore[no-untyped-def]
    written = (ROOT / "docs" / name).read_text("utf-8")
    assert written == page(), "run `flask --app wsgi town draw-machines` and `draw-channels`"


def test_every_event_has_an_ear_or_is_archival() -> None:
    concrete = {kind for kind in Event.kinds.values() if not kind.__subclasses__()}
    unheard = {
        kind.__name__ for kind in concrete if not wsgi.SUBSCRIPTIONS.get(kind) and kind not in wsgi.ARCHIVAL
    }
    assert not unheard
    assert not [kind for kind in wsgi.ARCHIVAL if wsgi.SUBSCRIPTIONS.get(kind)]


def test_every_event_a_machine_names_is_published() -> None:
    named = {move.event for machine in wsgi.MACHINES for move in machine.moves if move.event}
    assert named <= set(Event.kinds.values())


def test_every_lane_is_drained_by_the_town() -> None:
    drained = set(re.findall(r'"-Q", "([a-z]+)"', (ROOT / "town" / "run.py").read_text("utf-8")))
    assert {chore.lane for chore in worker.all_chores().values()} == drained


def test_every_table_declares_its_retention() -> None:
    careless = [
        mapper.class_.__name__
        for mapper in Base.registry.mappers
        if not getattr(mapper.class_, "__retention__", "")
    ]
    assert not careless


def test_the_migrations_make_exactly_the_tables_of_the_code(database: str) -> None:
    with fresh_database():
        commands.migrate()
        with engine.engine().connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"include_object": scope.is_ours, "compare_type": True}
            )
            assert compare_metadata(context, METADATA) == []
            assert commands.current() == commands.head()


def test_logs_keep_no_private_data() -> None:
    line = scrub('{"message": "11010519491231002X called 13800138000", "auth": "Bearer abc.def.ghi"}')
    assert "11010519491231002X" not in line
    assert "13800138000" not in line
    assert "abc.def.ghi" not in line
