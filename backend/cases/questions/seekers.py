"""Progress without an account: who is behind a case number, for a seeker who also knows the ID tail."""

from sqlalchemy import select

from backend import people
from backend.cases import wording
from backend.cases.models import Case
from backend.kernel import ids
from backend.store.unit import Unit


def person_behind(u: Unit, number: str, id_tail: str) -> str | None:
    """The person of the case when number and last four of the ID fit; None otherwise, never saying which."""
    if not ids.is_case_number(number):
        return None
    wanted = select(Case.person_id).where(Case.number == ids.tidy_case_number(number))
    person_id = u.session.scalar(wanted)
    if person_id is None or not people.id_tail_matches(u, person_id, id_tail):
        return None
    return person_id


def code_maybe_sent() -> str:
    """What a seeker is told, whether the case is there or not."""
    return wording.say("seeker", "code_maybe_sent")
