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
    """`rank` is the order of sending (0 first); after `life` the message is pointless and is never sent."""

    name: str
    must_know: bool = False
    quiet: bool = True
    life: timedelta = 3 * _DAY
    rank: int = 2
    secret: bool = False


def _must(name: str, *, quiet: bool = True, life: timedelta = 3 * _DAY) -> Kind:
    return Kind(name, must_know=True, quiet=quiet, life=life, rank=1)


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
        Kind("payment_succeeded", quiet=False, life=_DAY),
        Kind("payment_refunded"),
        _must("booking_confirmed", quiet=False, life=12 * _HOUR),
        _must("booking_cancelled", quiet=False, life=12 * _HOUR),
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
