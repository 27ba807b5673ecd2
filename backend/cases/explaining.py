"""`flask town explain CASE`: every clock of a case and how it came to its date. For staff and developers."""

from collections.abc import Iterator

from sqlalchemy import select

from backend import catalogue
from backend.cases.clocks import Term, Terms
from backend.cases.models import PROVISIONAL_COLUMNS, Case
from backend.cases.services import desk
from backend.cases.terms import terms_of
from backend.kernel import clock, ids
from backend.kernel.problems import NotFound
from backend.store.unit import Unit


def explain(u: Unit, wanted: str) -> str:
    """Plain text about a case, by id or number. Raises NotFound."""
    tidy = ids.tidy_case_number(wanted)
    case = u.session.scalar(select(Case).where((Case.id == wanted) | (Case.number == tidy)))
    if case is None:
        raise NotFound
    version = catalogue.version(u, case.item_version_id)
    return "\n".join([*_head(case, version), *_clocks(u, case, terms_of(version)), *_journal(u, case)])


def _head(case: Case, version: catalogue.ItemVersion) -> Iterator[str]:
    yield f"case {case.number} ({case.id})"
    yield f"  item       {version.name}, version {version.number} ({version.id})"
    yield f"  state      {case.state}, held by {case.holder}; fee {case.fee_state}, originals {case.originals}"
    yield f"  handled by {case.department_id}, region {case.region_code}; filed over {case.channel}"


def _clocks(u: Unit, case: Case, terms: Terms) -> Iterator[str]:
    years = ", ".join(str(year) for year in sorted(catalogue.calendar_years(u)))
    yield f"clocks (calendars loaded: {years or 'none'}; the day something happens is not counted)"
    reasons = _reasons(u, case, terms)
    for name in PROVISIONAL_COLUMNS:
        value = getattr(case, name)
        guess = " provisional: no legal effect" if getattr(case, f"{name}_provisional") else ""
        yield f"  {name:<22}{value or '-'}{guess}"
        yield f"  {'':<22}{reasons[name]}"
    measure = terms.promise or terms.legal
    early = "-" if case.days_early is None else f"{case.days_early} {measure.unit if measure else ''}"
    yield f"  {'days_early':<22}{early}"


def _reasons(u: Unit, case: Case, terms: Terms) -> dict[str, str]:
    received_on = clock.day_of(case.received_at)
    hours = "office hours" if terms.pre_review_in_office_hours else "hours by the clock"
    stood_still = _decision_sum(u, case)
    silent = "while the originals are here and nobody answers; silence accepts a submitted case only"
    return {
        "pre_review_due_at": _or_none(
            terms.pre_review_hours,
            f"{terms.pre_review_hours} {hours} after {case.received_at:%Y-%m-%d %H:%M}Z",
        ),
        "deemed_acceptance_on": f"{_days(terms.deemed_acceptance)} after {received_on}, {silent}",
        "correction_due_on": f"{_days(terms.correction)} after {case.asked_on or 'a notice'}",
        "promised_on": f"{_days(terms.promise)} after {case.accepted_on or 'acceptance'}{stood_still}",
        "legal_on": f"{_days(terms.legal)} after {case.accepted_on or 'acceptance'}{stood_still}",
        "delivery_due_on": f"{_days(terms.delivery)} after {case.decided_on or 'the decision'}",
    }


def _decision_sum(u: Unit, case: Case) -> str:
    parts = ["; accepted by silence" if case.deemed else ""]
    parts += [f"; extended by {case.extended_by}" if case.extended_by else ""]
    parts += [f"; stood still {p.started_on} to {p.ended_on or 'now'}" for p in desk.pauses_of(u, case.id)]
    return "".join(parts)


def _journal(u: Unit, case: Case) -> Iterator[str]:
    yield "journal"
    for entry in u.journal_of(case.id):
        step = f"{entry.source} -> {entry.target}" if entry.target else entry.subject
        yield f"  {entry.seq:>3} {entry.occurred_at:%Y-%m-%d %H:%M}Z {entry.trigger:<22}{step} ({entry.actor.kind})"


def _days(term: Term | None) -> str:
    return "no limit" if term is None else f"{term.days} {term.unit}"


def _or_none(value: object, text: str) -> str:
    return "the item has no pre-review" if value is None else text
