"""Every kind of message: how urgent it is, how long it is worth sending, and whether it must be known.

Must be known (STANDARDS §9): correction, approval, booking, payment due, delivery. These go by short message
where no card can be sent, and are the only ones that ignore a wish for no pushes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.kernel import clock

QUIET_FROM, QUIET_UNTIL = 22, 8
"""Hours in Shanghai between which only what answers the citizen's own act is sent. Our choice (STANDARDS §10)."""
ELDER_SMS_TOO = True
"""Elder mode: what must be known comes by short message as well as by card. Our choice."""

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """`rank` is the order of sending (0 first); after `life` the message is pointless and is never sent.

    `reminder` names the reminder of an appointment that it is: it dies when the appointment changes.
    `during` names a fact of its thing that carries it: when that is gone or another, what is not yet out dies.
    """

    name: str
    must_know: bool = False
    quiet: bool = True
    life: timedelta = 3 * _DAY
    rank: int = 2
    secret: bool = False
    reminder: str = ""
    during: str = ""


def _must(name: str, *, quiet: bool = True, life: timedelta = 3 * _DAY, during: str = "") -> Kind:
    return Kind(name, must_know=True, quiet=quiet, life=life, rank=1, during=during)


def _reminder(name: str, reminder: str, *, quiet: bool, life: timedelta) -> Kind:
    """Must be known: whoever forgets two appointments may not book for months, so no wish for silence counts."""
    return Kind(name, must_know=True, quiet=quiet, life=life, rank=1, reminder=reminder)


def _code(purpose: str) -> Kind:
    """A code lives five minutes at whoever made it: a later message would only confuse."""
    return Kind(
        f"code_{purpose}", must_know=False, quiet=False, life=timedelta(minutes=5), rank=0, secret=True
    )


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _must("correction_requested"),
        _must("correction_lapsed"),
        _must("pre_review_passed"),
        Kind("case_accepted"),
        _must("case_not_accepted"),
        _must("fee_demanded"),
        _must("case_decided"),
        _must("case_finished_window"),
        _must("case_finished_online"),
        Kind("case_finished_sent"),
        # Otherwise they hear of a fine when it has grown; each dies with the debt it speaks of.
        _must("bill_issued", during="owed"),
        _must("bill_due", during="owed"),
        _must("bill_penalty", life=_DAY, during="owed"),
        Kind("payment_succeeded", quiet=False, life=_DAY),
        Kind("payment_for_other", quiet=False, life=_DAY),
        _must("payment_refunded"),
        Kind("refund_approved"),
        _must("refund_listed"),
        _must("refund_refused"),
        _must("refund_failed"),
        _must("surplus_comes"),
        Kind("refund_submitted"),
        # Over the treasury it does not come back the way it went: whoever looks there would not find it.
        _must("refund_paid_out"),
        # Otherwise people pay again, or believe that it is settled.
        _must("money_held"),
        _must("booking_confirmed", quiet=False, life=12 * _HOUR),
        _must("booking_cancelled", quiet=False, life=12 * _HOUR),
        # The window has ended it, or the end of the case: otherwise people set out for nothing.
        _must("booking_called_off", life=_DAY),
        # By the citizen's own wish; whoever misses it comes at the wrong time.
        _must("booking_moved", quiet=False, life=12 * _HOUR),
        # Otherwise people stand before a closed door, and the place held for them runs out.
        _must("booking_displaced", life=2 * _DAY, during="closed"),
        _must("booking_displaced_none", life=2 * _DAY, during="closed"),
        # Otherwise nobody comes to an open door; a day may be closed, opened and closed again.
        _must("booking_restored", life=2 * _DAY, during="restored"),
        # Its time has passed: nothing is left to hurry for, but nobody's appointment ends without a word.
        _must("booking_closed_over"),
        _reminder("booking_reminder_day", "day_before", quiet=True, life=_DAY),
        # The hour is chosen by the appointment: later, in daylight, would be too late to set out.
        _reminder("booking_reminder_hours", "two_hours", quiet=False, life=2 * _HOUR),
        # It is held for minutes, often, and then goes to the next.
        _must("place_offered", life=_DAY),
        # Otherwise they still think that it is held, or that they wait no more.
        _must("offer_lapsed", life=_DAY),
        # Outcomes: whoever has a phone and nothing else would wait for ever, or hear only of what follows.
        _must("wait_ended"),
        _must("draw_won"),
        _must("draw_lost"),
        _must("draw_passed_over"),
        _must("draw_called_off"),
        # Dies with the delay: after the result it would only confuse.
        _must("draw_delayed", life=_DAY, during="delayed"),
        _must("booking_missed"),
        # Something is taken from people, or given back: they must know in time to appeal and to book.
        _must("booking_blocked"),
        _must("block_lifted"),
        _must("block_upheld"),
        Kind("pickup_ordered", quiet=False, life=_DAY),
        Kind("materials_collected", life=_DAY),
        Kind("materials_received"),
        _must("materials_incomplete"),
        _must("parcel_sent", life=_DAY),
        _must("parcel_sent_code", life=_DAY),
        Kind("parcel_delivered", quiet=False, life=_DAY),
        _must("parcel_troubled", life=2 * _DAY),
        *(_code(purpose) for purpose in ("login", "progress", "courier_login", "real_name", "phone")),
    )
}

_REMINDERS = {kind.reminder: kind for kind in KINDS.values() if kind.reminder}


def reminder_kind(reminder: str) -> Kind:
    """The kind that carries this reminder of an appointment. Raises KeyError for one without words."""
    return _REMINDERS[reminder]


def code_kind(purpose: str) -> Kind:
    """The kind that carries a code for this purpose. Raises KeyError for a purpose without words."""
    return KINDS[f"code_{purpose}"]


def end_of(kind: Kind, now: datetime, limit: datetime | None) -> datetime:
    """The moment after which the message is never sent: its life, or the event it speaks of if that is sooner."""
    end = now + kind.life
    return min(end, limit) if limit is not None else end


def first_hour(kind: Kind, now: datetime, end: datetime) -> datetime:
    """When it may go out: now, or at the end of the quiet hours unless it would be pointless by then."""
    if not kind.quiet:
        return now
    local = clock.local(now)
    if QUIET_UNTIL <= local.hour < QUIET_FROM:
        return now
    day = local.date() if local.hour < QUIET_UNTIL else local.date() + _DAY
    morning = clock.at_local(day, QUIET_UNTIL)
    return morning if morning < end else now
