"""Takes back what has changed: nobody may be sent to an appointment that is no more, or kept from one that is.

Whoever tells and whoever takes back hold the same lock on the thing they speak of, so that whichever comes second
sees what the first has done.
"""

from typing import Final

from sqlalchemy import select

from backend.kernel import clock
from backend.runtime.facts import facts_of
from backend.store import lean
from backend.store.unit import SYSTEM, Unit
from notifications.gathering import still_stands
from notifications.kinds import KINDS
from notifications.machine import MESSAGE, QUEUED, SENDING, UNKNOWN
from notifications.models import Message
from notifications.outcomes import return_grant

_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 4712))"
_PASSING: Final = tuple(kind.name for kind in KINDS.values() if kind.reminder or kind.during)


def hold_still(u: Unit, subject: str) -> None:
    """From here to the end of the unit nobody else reminds of this thing or takes a reminder back."""
    lean.execute(u.session, _LOCK, (subject,))


def withdraw_overtaken(u: Unit, about: str, subject: str) -> int:
    """Take back what was said of an appointment as it was and is not yet out; returns how many.

    One on its way cannot be called back; it is not repeated, and nobody is alarmed when it does not arrive.
    """
    hold_still(u, subject)
    ours = select(Message).where(
        Message.about == about, Message.subject == subject, Message.kind.in_(_PASSING)
    )
    ours = ours.order_by(Message.id).with_for_update().execution_options(populate_existing=True)
    # Twice: while we waited for a card that failed, a short message may have taken its place.
    u.session.scalars(ours).all()
    rows = u.session.scalars(ours.where(Message.state.in_((QUEUED, SENDING, UNKNOWN)))).all()
    words = facts_of(u, subject)
    overtaken = [row for row in rows if not still_stands(row, words)]
    for row in overtaken:
        _withdraw(u, row)
    return len(overtaken)


def _withdraw(u: Unit, row: Message) -> None:
    row.must_know, row.not_after = False, min(row.not_after, clock.now())
    if row.state != QUEUED:
        u.note(row.id, row.id, "not_repeated", by=SYSTEM, says="提醒的事有变化，不再重发")
        return
    return_grant(u, row)
    u.step(MESSAGE, row, "withdrawn", by=SYSTEM)
