"""Chores of the house: what the law or the calendar brings about without anybody's hand.

Every case is done in a unit of its own after its row is locked and looked at again; a case that fails is logged
and does not hold up the others. No date that is provisional has an effect.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, extract, or_, select

from backend import catalogue
from backend.cases import wording
from backend.cases.dates import NOT_HERE_YET
from backend.cases.models import PROVISIONAL_COLUMNS, Case
from backend.cases.services import desk, uploads
from backend.cases.services.corrections import lapse_correction
from backend.cases.services.handling import deem_accepted
from backend.kernel import clock
from backend.runtime.worker import chore
from backend.store.unit import CLOCK, Unit, run_unit

log = logging.getLogger(__name__)
BATCH = 200
WARN_BEFORE = timedelta(hours=4)


@chore("cases.deem_acceptance", every=timedelta(minutes=5))
def deem_acceptance() -> int:
    """Accept what nobody answered within its term (行政许可法 art. 32)."""
    return _each(_silent, deem_accepted)


@chore("cases.lapse_corrections", every=timedelta(minutes=5))
def lapse_corrections() -> int:
    """Close corrections that stayed unanswered beyond their stated term."""
    return _each(_unanswered, lapse_correction)


@chore("cases.recompute_dates", every=timedelta(minutes=10))
def recompute_dates() -> int:
    """Compute provisional dates anew once the calendar of their year is loaded."""
    years = run_unit(catalogue.calendar_years)
    return _each(lambda: _guessed_within(years), desk.redate)


@chore("cases.warn_pre_review", every=timedelta(minutes=5))
def warn_pre_review() -> int:
    """Tell staff that a pre-review is near its end (CY-03); the citizen's timeline leaves it out."""
    return _each(_near_due, _warn)


@chore("cases.purge_uploads", every=timedelta(minutes=30))
def purge_uploads() -> int:
    """Throw away files that no application took in time: the row first, then the bytes."""
    names = run_unit(uploads.purge_unused)
    uploads.remove_files(names)
    return len(names)


def _each(condition: Callable[[], ColumnElement[bool]], work: Callable[[Unit, Case], None]) -> int:
    done = 0
    for case_id in run_unit(
        lambda u: list(u.session.scalars(select(Case.id).where(condition()).limit(BATCH)))
    ):
        try:
            done += run_unit(lambda u, one=case_id: _again(u, one, condition(), work))  # type: ignore[misc]
        except Exception:
            log.exception("a case could not be seen to", extra={"case_id": case_id})
    return done


def _again(u: Unit, case_id: str, condition: ColumnElement[bool], work: Callable[[Unit, Case], None]) -> int:
    """Lock the case; do the work if it still wants it."""
    case = u.session.scalar(select(Case).where(Case.id == case_id, condition).with_for_update())
    if case is None:
        return 0
    work(u, case)
    return 1


def _silent() -> ColumnElement[bool]:
    return and_(
        Case.state == "submitted",
        Case.deemed_acceptance_on < clock.today(),
        Case.deemed_acceptance_on_provisional.is_(False),
        Case.originals.not_in(NOT_HERE_YET),
    )


def _unanswered() -> ColumnElement[bool]:
    return and_(
        Case.state == "correcting",
        Case.correction_due_on < clock.today(),
        Case.correction_due_on_provisional.is_(False),
    )


def _near_due() -> ColumnElement[bool]:
    return and_(
        Case.state == "submitted",
        Case.pre_review_due_at < clock.now() + WARN_BEFORE,
        Case.pre_review_warned.is_(False),
    )


def _guessed_within(years: frozenset[int]) -> ColumnElement[bool]:
    """Some provisional date lies in a year that is known now."""
    known = sorted(years)
    return or_(
        *(
            and_(getattr(Case, f"{name}_provisional"), extract("year", getattr(Case, name)).in_(known))
            for name in PROVISIONAL_COLUMNS
        )
    )


def _warn(u: Unit, case: Case) -> None:
    case.pre_review_warned = True
    says = wording.say("staff", "pre_review_near_due")
    u.note(case.id, case.id, "pre_review_near_due", by=CLOCK, says=says)
