"""Whether the matter itself asks for a visit now: one rule for holding a place, waiting for one, entering a release."""

from datetime import datetime

from backend import booking, cases, catalogue
from backend.kernel.problems import InvalidInput
from backend.runtime.surface import Unit

PROBLEMS = (booking.NotBookable, booking.OtherItem, catalogue.ItemUnknown, catalogue.ItemNotPublished)
"""What require_may_book refuses with, beside what every endpoint may."""


def require_may_book(
    u: Unit, item_id: str, case_id: str | None, person_id: str, version_id: str | None = None
) -> None:
    """The item says whether it is booked on its own or for a case, and the case says whether it is time.

    `version_id` is the item's published version, for a caller that knows it.
    """
    version = catalogue.version(u, version_id) if version_id else catalogue.published_version(u, item_id)
    policy = version.policy
    if not policy.bookable:
        raise booking.NotBookable
    if policy.booking_after is None and case_id is None:
        return
    if case_id is None:
        raise InvalidInput(errors=[{"field": "case_id", "message": "请先提交申请，再为这件事预约"}])
    ground = cases.visit_ground(u, case_id, person_id, stays=True)
    if ground.item_id != item_id:
        raise booking.OtherItem("这份申请办的不是这件事，请选择同一事项的时段，或换一份申请。")
    if not ground.may_book:
        raise booking.NotBookable(ground.reason or None)


def require_still_wanted(u: Unit, booked: booking.BookingView) -> None:
    """Whether the case of a booking that was just made sure still wants the visit.

    To confirm is to lock the head of the case's journal: whoever ends the case has done so before, which is seen
    here, or does it afterwards, and then gives the booking back.
    """
    if booked.case_id is None:
        return
    ground = cases.visit_ground(u, booked.case_id, booked.person_id)
    if not ground.wants_visit:
        raise booking.NotBookable(ground.reason or None)


def keep_evidence(u: Unit, booking_id: str, person_id: str, visit_at: datetime) -> None:
    """The files that an urgent visit relies on must be the citizen's own, and are kept until it is over."""
    if upload_ids := booking.evidence_of(u, booking_id):
        cases.keep_evidence(u, upload_ids, person_id, visit_at)
