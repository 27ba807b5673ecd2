"""Handing over: six digits that only the holder sees, tried at most five times, and what staff may do instead."""

import hmac
from datetime import timedelta

from backend.kernel import clock, ids
from backend.kernel.problems import NotYours, Problem
from backend.store import vault
from backend.store.unit import Actor, Unit, run_unit
from courier.carriers import WINDOW
from courier.machine import FINISHED
from courier.models import HandoverRow, ParcelRow
from courier.problems import HandoverLocked, NoHandover, WrongHandoverCode
from courier.services import rows
from courier.services.hearing import tell
from courier.views import HandoverCode
from courier.wording import say

GOOD_FOR = timedelta(hours=2)
"""Long enough for somebody who reads slowly or waits for a grandchild; a new code costs one touch."""
RENEW = timedelta(minutes=15)
"""A code that ends sooner than this is not shown any more: a new one is."""
MOST_TRIES = 5
DIGITS = 6
OWN_HANDS = frozenset({WINDOW, "own_riders"})


def has_code(row: ParcelRow) -> bool:
    """Whether this parcel is handed over against a code, now or later."""
    return row.direction == "outbound" and row.carrier in OWN_HANDS and row.state not in FINISHED


def handover_code(u: Unit, parcel_id: str, person_id: str) -> HandoverCode:
    """The code to show; the same one until shortly before it ends, so that looking twice does no harm.

    Raises NotYours, NoHandover, HandoverLocked.
    """
    row = rows.locked(u, parcel_id, person_id=person_id)
    if not has_code(row) or row.packed_at is None:
        raise NoHandover
    handover = _handover(u, row.id)
    if handover.locked_at is not None:
        raise HandoverLocked
    if handover.seed is None or handover.good_until < clock.now() + RENEW:
        handover.seed, handover.good_until, handover.tries = ids.token(), clock.now() + GOOD_FOR, 0
    return HandoverCode(_code(row.id, handover.seed), handover.good_until)


def hand_over(parcel_id: str, code: str, by: Actor, *, rider_id: str | None = None) -> None:
    """Give the parcel to whoever shows its code. A wrong try is counted even though it is refused.

    Opens its own unit. Raises NotYours (another's task), NoHandover, WrongHandoverCode, HandoverLocked.
    """
    refused = run_unit(lambda u: _try_code(u, _in_hand(u, parcel_id, rider_id), code, by))
    if refused is not None:
        raise refused


def hand_over_on_sight(u: Unit, parcel_id: str, given_to: str, by: Actor) -> ParcelRow:
    """A clerk at the window has seen the identity card: no code is needed. `given_to` is holder or agent."""
    row = _in_hand(u, parcel_id, None)
    if row.carrier != WINDOW:
        raise NoHandover
    _given(u, row, _handover(u, row.id), given_to, by)
    return row


def unlock_handover(u: Unit, parcel_id: str, by: Actor) -> ParcelRow:
    """Staff help after five wrong codes: the holder may ask for a new one."""
    row = rows.locked(u, parcel_id)
    handover = _handover(u, row.id)
    handover.seed, handover.tries, handover.locked_at = None, 0, None
    u.note(row.matter, row.id, "handover_unlocked", by=by)
    return row


def _in_hand(u: Unit, parcel_id: str, rider_id: str | None) -> ParcelRow:
    row = rows.locked(u, parcel_id)
    if rider_id is not None and (row.rider_id != rider_id or row.state in FINISHED):
        raise NotYours
    if not has_code(row) or not _may_be_given(row):
        raise NoHandover
    return row


def _may_be_given(row: ParcelRow) -> bool:
    """At the window once it is laid ready, on the road once it was fetched."""
    return row.collected_at is not None or (row.carrier == WINDOW and row.packed_at is not None)


def _try_code(u: Unit, row: ParcelRow, code: str, by: Actor) -> Problem | None:
    handover = _handover(u, row.id)
    if handover.locked_at is not None:
        return HandoverLocked()
    if _fits(handover, row.id, code):
        _given(u, row, handover, "holder", by)
        return None
    return _missed(u, row, handover, by)


def _fits(handover: HandoverRow, parcel_id: str, code: str) -> bool:
    if handover.seed is None or handover.good_until <= clock.now():
        return False
    return hmac.compare_digest(_code(parcel_id, handover.seed).encode(), code.encode())


def _missed(u: Unit, row: ParcelRow, handover: HandoverRow, by: Actor) -> Problem:
    handover.tries += 1
    left = MOST_TRIES - handover.tries
    if left > 0:
        return WrongHandoverCode(say("code.tries_left", left=left), tries_left=left)
    handover.locked_at, handover.seed = clock.now(), None
    u.note(row.matter, row.id, "handover_locked", by=by, says=say("code.locked"))
    return HandoverLocked()


def _given(u: Unit, row: ParcelRow, handover: HandoverRow, given_to: str, by: Actor) -> None:
    handover.seed, handover.used_at, handover.given_to, handover.given_by = (
        None,
        clock.now(),
        given_to,
        by.id,
    )
    words = say("trace.given.holder") if given_to == "holder" else say("trace.given.agent")
    if not tell(u, row, "delivered", words, by, source=by.kind):
        raise NoHandover


def _handover(u: Unit, parcel_id: str) -> HandoverRow:
    """The parcel's own row; the parcel is locked, so nobody else makes it meanwhile."""
    row = u.get(HandoverRow, parcel_id, lock=True)
    if row is None:
        row = HandoverRow(parcel_id=parcel_id, good_until=clock.now(), tries=0)
        u.add(row)
    return row


def _code(parcel_id: str, seed: str) -> str:
    """Six digits that nobody can compute from the database alone."""
    number = int.from_bytes(vault.keyed_digest("handover", f"{parcel_id}:{seed}")[:8], "big")
    return f"{number % 10**DIGITS:0{DIGITS}}"
