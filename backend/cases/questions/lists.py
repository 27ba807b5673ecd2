"""Lists by cursor: a citizen's cases, a department's queue. Lean columns only, never a sealed one."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, true, tuple_
from sqlalchemy.orm import load_only

from backend import people
from backend.cases.desk_views import QueueLine
from backend.cases.models import Case
from backend.cases.services import desk
from backend.cases.telling import due_view_of, label_of, line_of
from backend.cases.views import CaseLine
from backend.kernel import clock
from backend.kernel.problems import MalformedRequest
from backend.runtime.audience import Principal
from backend.runtime.paging import Page, cursor, keys_of
from backend.store.unit import Unit

SOON = timedelta(days=3)
_HEAVY = frozenset({"form_sealed", "fee_lines"})
_OVER = ("delivered", "withdrawn", "not_accepted")


def cases_of(u: Unit, person_id: str, after: str | None = None, limit: int = 20) -> Page[CaseLine]:
    """The citizen's cases, newest first. Raises MalformedRequest for a foreign cursor."""
    wanted = select(Case).where(Case.person_id == person_id).order_by(Case.id.desc())
    if keys := keys_of(after, 1):
        wanted = wanted.where(Case.id < str(keys[0]))
    rows = _lean(u, wanted, limit + 1)
    shown = rows[:limit]
    return Page(tuple(line_of(row) for row in shown), cursor(shown[-1].id) if len(rows) > limit else None)


def queue_of(
    u: Unit, officer: Principal, *, state: str | None = None, due: str | None = None,
    after: str | None = None, limit: int = 20,
) -> Page[QueueLine]:  # fmt: skip
    """Cases within the officer's scope, oldest first; with `due` (overdue, today, soon) the most urgent first."""
    wanted = select(Case).where(_within(officer))
    if state is not None:
        wanted = wanted.where(Case.state == state)
    if due is None:
        return _by_age(u, wanted, after, limit)
    return _by_due(u, wanted.where(_is_due(due)), after, limit)


def reached_of(u: Unit, case_ids: Collection[str], officer: Principal) -> frozenset[str]:
    """Which of these cases lie within the officer's departments and regions. Raises Forbidden without a role."""
    wanted = select(Case.id).where(Case.id.in_(case_ids), _within(officer))
    return frozenset(u.session.scalars(wanted))


def _within(officer: Principal) -> ColumnElement[bool]:
    """The officer's departments and regions as a condition on the case. Raises Forbidden without a role."""
    return or_(*(and_(*_reached(scope)) for scope in desk.reach_of(officer)))


def _reached(scope: people.Scope) -> Iterator[ColumnElement[bool]]:
    yield true()
    if scope.department_id is not None:
        yield Case.department_id == scope.department_id
    if scope.region_code is not None:
        yield Case.region_code.startswith(_stem(scope.region_code))


def _stem(region_code: str) -> str:
    """What the codes inside a region begin with: 3416 for the city 341600."""
    while len(region_code) > 2 and region_code.endswith("00"):
        region_code = region_code[:-2]
    return region_code


def _by_age(u: Unit, wanted: Select[Case], after: str | None, limit: int) -> Page[QueueLine]:
    if keys := keys_of(after, 1):
        wanted = wanted.where(Case.id > str(keys[0]))
    rows = _lean(u, wanted.order_by(Case.id), limit + 1)
    shown = rows[:limit]
    return Page(tuple(_queue_line(row) for row in shown), cursor(shown[-1].id) if len(rows) > limit else None)


def _by_due(u: Unit, wanted: Select[Case], after: str | None, limit: int) -> Page[QueueLine]:
    if keys := keys_of(after, 2):
        wanted = wanted.where(tuple_(Case.due_on, Case.id) > (_day(keys[0]), str(keys[1])))
    rows = _lean(u, wanted.order_by(Case.due_on, Case.id), limit + 1)
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(
        tuple(_queue_line(row) for row in shown),
        cursor(str(shown[-1].due_on), shown[-1].id) if more else None,
    )


def _is_due(due: str) -> ColumnElement[bool]:
    today = clock.today()
    windows: Mapping[str, ColumnElement[bool]] = {
        "overdue": Case.due_on < today,
        "today": Case.due_on == today,
        "soon": and_(Case.due_on >= today, Case.due_on <= today + SOON),
    }
    return and_(windows[due], Case.state.not_in(_OVER))


def _day(text: Any) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise MalformedRequest("翻页标记不正确，请从第一页重新查看。") from error


def _lean(u: Unit, wanted: Select[Case], most: int) -> list[Case]:
    columns = [getattr(Case, c.name) for c in Case.__table__.columns if c.name not in _HEAVY]
    return list(u.session.scalars(wanted.options(load_only(*columns)).limit(most)))


def _queue_line(case: Case) -> QueueLine:
    return QueueLine(
        case_id=case.id,
        number=case.number,
        item_name=case.item_name,
        state=case.state,
        state_label=label_of(case),
        holder=case.holder,
        region_code=case.region_code,
        submitted_at=case.submitted_at,
        due=due_view_of(case),
        fee_state=case.fee_state,
    )
