"""Codes by SMS: six digits that live five minutes and say nothing about who is known.

One sender has five tries at a code, all senders together fifteen: a stranger cannot kill the code of its holder.
"""

import hmac
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert

from backend.kernel import clock, ids
from backend.kernel.problems import Problem
from backend.people import sealing
from backend.people.models import Code, Person, Rider
from backend.people.problems import PhoneNeeded, WrongCode
from backend.people.services import limits
from backend.store import vault
from backend.store.unit import Unit, run_unit

DIGITS = 6
LIFE = timedelta(minutes=5)
MOST_TRIES = 15
PURPOSES = ("login", "progress", "courier_login", "real_name", "phone")

Sender = Callable[[Unit, str, str, str], None]
_sender: list[Sender] = []


def use_code_sender(sender: Sender) -> None:
    """Said once by the town plan: who queues a short message, as (unit, phone, code, purpose)."""
    _sender[:] = [sender]


def send_code(u: Unit, phone: str, purpose: str) -> None:
    """Make a code and have it sent. The caller cannot tell whether the phone is known. Raises CodeTooSoon.

    A later code of the same purpose takes the place of an earlier one.
    """
    for rule in limits.CODE_RULES:
        limits.take(u, rule, phone)
    if purpose == "courier_login" and not _is_rider(u, phone):
        return
    code = ids.digits(DIGITS)
    values = {
        "digest": _digest(purpose, phone, code), "good_until": clock.wire_now() + LIFE, "tries": 0, "spent_at": None,
    }  # fmt: skip
    row = insert(Code).values(purpose=purpose, phone_blind=vault.blind(sealing.CODE_PHONE, phone), **values)
    u.session.execute(row.on_conflict_do_update(index_elements=["purpose", "phone_blind"], set_=values))
    _sender[0](u, phone, code, purpose)


def take_code(phone: str, purpose: str, code: str, sender: str = "") -> None:
    """Spend a code [own unit: a wrong try must be remembered although it is refused]. Raises WrongCode."""
    if (refusal := run_unit(lambda u: try_code(u, phone, purpose, code, sender))) is not None:
        raise refusal


def try_code(u: Unit, phone: str, purpose: str, code: str, sender: str) -> Problem | None:
    """Spend a code in this unit; a refusal is handed back, not raised, so that the try is kept with the unit.

    `sender` is whose tries these are: the digest of an address, or the id of somebody known.
    """
    blind = vault.blind(sealing.CODE_PHONE, phone)
    row = u.get(Code, (purpose, blind), lock=True)
    if row is None or row.spent_at or row.good_until <= clock.wire_now() or row.tries >= MOST_TRIES:
        return WrongCode()
    if limits.wait_after(u, limits.WRONG_CODE, f"{row.digest.hex()}|{sender}") is not None:
        return WrongCode()
    row.tries += 1
    if not hmac.compare_digest(row.digest, _digest(purpose, phone, code)):
        return WrongCode()
    row.spent_at = clock.wire_now()
    return None


def send_code_to_person(u: Unit, person_id: str, purpose: str) -> None:
    """Send a code to the phone on a person's record. Raises CodeTooSoon, PhoneNeeded."""
    send_code(u, _phone_of(u, person_id), purpose)


def take_code_of_person(person_id: str, purpose: str, code: str, sender: str = "") -> None:
    """Spend a code sent to a person's phone [own unit]. Raises WrongCode."""

    def spend(u: Unit) -> Problem | None:
        return try_code(u, _phone_of(u, person_id), purpose, code, sender)

    if (refusal := run_unit(spend)) is not None:
        raise refusal


def _phone_of(u: Unit, person_id: str) -> str:
    person = u.get(Person, person_id)
    if person is None or person.phone is None:
        raise PhoneNeeded
    return vault.open_sealed(sealing.PERSON_PHONE, person_id, person.phone)


def _is_rider(u: Unit, phone: str) -> bool:
    blinds = vault.blinds(sealing.RIDER_PHONE, phone)
    return (
        u.session.query(Rider.id).filter(Rider.phone_blind.in_(blinds), Rider.state == "active").first()
        is not None
    )


def _digest(purpose: str, phone: str, code: str) -> bytes:
    return vault.keyed_digest("code", f"{purpose}|{phone}|{code}")
