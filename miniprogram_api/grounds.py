"""Whether the matter itself asks for a visit now: one rule for holding a place, waiting for one, entering a release."""

from backend import booking, cases, catalogue
from backend.kernel.problems import InvalidInput
from backend.runtime.surface import Unit

PROBLEMS = (booking.NotBookable, catalogue.ItemUnknown, catalogue.ItemNotPublished)
"""What require_may_book refuses with, beside what every endpoint may."""


def require_may_book(u: Unit, item_id: str, case_id: str | None, person_id: str) -> None:
    """The item says whether it is booked on its own or for a case, and the case says whether it is time."""
    policy = catalogue.published_version(u, item_id).policy
    if not policy.bookable:
        raise booking.NotBookable
    if policy.booking_after is None and case_id is None:
        return
    if case_id is None:
        raise InvalidInput(errors=[{"field": "case_id", "message": "请先提交申请，再为这件事预约"}])
    ground = cases.visit_ground(u, case_id, person_id)
    if ground.item_id != item_id or not ground.may_book:
        raise booking.NotBookable(ground.reason or None)
