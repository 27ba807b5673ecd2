"""The nightly check: cases whose books do not agree with themselves or with the registers."""

from collections.abc import Iterator

from sqlalchemy import text

from backend import catalogue, people
from backend.cases.dates import holder_of
from backend.cases.machine import CASE
from backend.cases.models import Case
from backend.kernel.problems import NotFound
from backend.store.unit import Unit

_CHECKS = {
    "its state differs from its journal": """
        SELECT c.id FROM cases_case c WHERE c.state IS DISTINCT FROM (
            SELECT j.target FROM store_journal j
            WHERE j.matter = c.id AND j.subject = c.id AND j.target <> '' ORDER BY j.seq DESC LIMIT 1)
    """,
    "its fee is paid without a payment": """
        SELECT id FROM cases_case WHERE fee_state IN ('paid', 'refunded') AND fee_payment_id IS NULL
    """,
    "it was withdrawn, but its paid fee was not given up": """
        SELECT c.id FROM cases_case c WHERE c.state = 'withdrawn' AND c.fee_state = 'paid' AND NOT EXISTS (
            SELECT 1 FROM store_journal j
            WHERE j.matter = c.id AND j.subject = c.fee_payment_id AND j.trigger = 'fee_not_wanted')
    """,
    "it wants a fee of nothing": "SELECT id FROM cases_case WHERE fee_state = 'due' AND fee_fen <= 0",
    "it is in correction without an open notice": """
        SELECT c.id FROM cases_case c WHERE c.state = 'correcting' AND NOT EXISTS (
            SELECT 1 FROM cases_correction n WHERE n.case_id = c.id AND n.closed_at IS NULL)
    """,
    "an open notice waits beside its state": """
        SELECT c.id FROM cases_case c JOIN cases_correction n ON n.case_id = c.id AND n.closed_at IS NULL
        WHERE c.state <> 'correcting'
    """,
    "its clock stands still without a running procedure": """
        SELECT c.id FROM cases_case c WHERE c.state = 'special' AND NOT EXISTS (
            SELECT 1 FROM cases_pause p WHERE p.case_id = c.id AND p.ended_on IS NULL)
    """,
    "it is decided without being accepted": """
        SELECT id FROM cases_case WHERE decided_on IS NOT NULL AND accepted_on IS NULL
    """,
    "it is finished without a result": """
        SELECT c.id FROM cases_case c WHERE c.state IN ('finished', 'delivered') AND NOT EXISTS (
            SELECT 1 FROM cases_result r WHERE r.case_id = c.id)
    """,
    "an uploaded material has no file": """
        SELECT m.case_id FROM cases_material m WHERE m.mode = 'upload' AND NOT EXISTS (
            SELECT 1 FROM cases_upload u WHERE u.material_id = m.id)
    """,
}
_KNOWN_IN_REGISTERS = "SELECT DISTINCT {column} FROM cases_case"


def check_books(u: Unit) -> list[str]:
    """Every fault as one sentence; empty when the books are in order."""
    return [*_inner_faults(u), *_orphans(u), *_wrong_holders(u)]


def _inner_faults(u: Unit) -> Iterator[str]:
    for fault, query in _CHECKS.items():
        for case_id in u.session.scalars(text(query)):
            yield f"cases: {case_id}: {fault}"


def _orphans(u: Unit) -> Iterator[str]:
    for person_id in u.session.scalars(text(_KNOWN_IN_REGISTERS.format(column="person_id"))):
        try:
            people.person_of(u, person_id)
        except NotFound:
            yield f"cases: cases of {person_id}, whom the register does not know"
    for version_id in u.session.scalars(text(_KNOWN_IN_REGISTERS.format(column="item_version_id"))):
        try:
            catalogue.version(u, version_id)
        except NotFound:
            yield f"cases: cases under {version_id}, which the register does not know"


def _wrong_holders(u: Unit) -> Iterator[str]:
    """The holder of the ball follows from the other columns; one that does not was written by a careless hand."""
    open_cases = u.session.query(Case).filter(Case.state.not_in(CASE.terminal)).yield_per(500)
    for case in open_cases:
        if case.holder != holder_of(case):
            yield f"cases: {case.id}: the ball is said to be with {case.holder}, but is with {holder_of(case)}"
