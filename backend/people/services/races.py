"""Where two requests bring the same number at once: the database decides, the loser looks again and finds it."""

from collections.abc import Callable
from typing import TypeVar

from backend.kernel.problems import Problem
from backend.people.problems import AccountTaken, RiderKnown, RolesClash
from backend.store.unit import Unit, map_constraint, retry_on, run_unit

T = TypeVar("T")

retry_on("uq_people_person_number_blind")
retry_on("uq_people_channel_outside")
retry_on("uq_people_channel_one_phone")
map_constraint("uq_people_staff_account", AccountTaken)
map_constraint("uq_people_rider_phone_blind", RiderKnown)
map_constraint("uq_people_staff_role_one_admin", RolesClash)


def settled(work: Callable[[Unit], T | Problem]) -> T:
    """Run `work` in a unit. A problem that it *returns* is raised after the commit, so that what it counted is kept."""
    outcome = run_unit(work)
    if isinstance(outcome, Problem):
        raise outcome
    return outcome
