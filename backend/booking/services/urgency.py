"""Out of hours only for those who may (HN-06): the site looks at the evidence, and accepts it or says no."""

from backend.booking.machine import COMING
from backend.booking.models import BookingRow, SlotRow
from backend.booking.problems import TooLateToCancel
from backend.booking.services.keeping import call_off_for, locked
from backend.kernel import clock, privacy
from backend.kernel.problems import ImpossibleMove, NotYours
from backend.store.unit import Actor, Unit


def decide_urgency(u: Unit, booking_id: str, by: Actor, *, accepted: bool, reason: str) -> BookingRow:
    """Note that the evidence is good, or give the place back and tell its person why; nobody is blamed for it.

    Raises NotYours (no visit out of hours), TooLateToCancel (over already), ImpossibleMove (nobody will come any more,
    or it is refused when they have come).
    """
    row = locked(u, booking_id)
    slot = u.session.get_one(SlotRow, row.slot_id)
    if not slot.urgent or not row.urgent_reason:
        raise NotYours
    if accepted:
        if row.state not in COMING:
            raise ImpossibleMove(state=row.state, trigger="urgency_accepted")
        row.urgency_accepted_at = clock.now()
        facts = {"reason": privacy.scrub(reason)}
        u.note(row.matter, row.id, "urgency_accepted", by=by, says="急办证明已核对，予以认可", facts=facts)
    elif slot.ends_at <= clock.now():
        raise TooLateToCancel("预约时间已过，不能再取消。")
    else:
        call_off_for(u, row, "refused", reason, by)
    return row
