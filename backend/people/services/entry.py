"""Coming in: a proof from WeChat, Alipay or a phone becomes one person and a session."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeGuard

from backend.kernel import clock
from backend.kernel.problems import Conflict, Problem
from backend.people import questions, register, sealing
from backend.people.models import Person
from backend.people.problems import ProveItIsYou
from backend.people.services import codes, joining, limits, sessions, vouchers
from backend.people.services.races import settled
from backend.people.views import Entered
from backend.store.unit import Unit

DORMANT = timedelta(days=90)
"""Operators give a number to somebody else about this long after it was given up."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a platform or a code has proven: an account there, and perhaps the phone of its holder.

    `answer` is what told the phone, where it came through the client and could be shown again.
    """

    channel: str
    outside_id: str
    phone: str | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """Circumstances of a login: the client's name for its device, an ID tail if one was asked for, whence it came."""

    device: str = ""
    id_tail: str = ""
    sender: str = ""


def enter(proof: Proof, visit: Visit) -> Entered:
    """Log in whoever the proof belongs to; a stranger becomes a visitor [own unit].

    Raises ProveItIsYou when only a number speaks for a verified person: from an account never seen here, or after
    long silence.
    """
    return settled(lambda u: _enter(u, proof, visit))


def enter_by_phone(phone: str, code: str, visit: Visit) -> Entered:
    """Log in by a code sent to the phone [own unit]. Raises WrongCode, ProveItIsYou."""

    def work(u: Unit) -> Entered | Problem:
        # One unit for both: when the ID tail is still wanted, the code is not spent in vain.
        refusal = codes.try_code(u, phone, "login", code, visit.sender)
        return refusal or _enter(u, Proof("phone", phone, phone), visit)

    return settled(work)


def _enter(u: Unit, proof: Proof, visit: Visit) -> Entered | Problem:
    if proof.answer and (refusal := vouchers.claim(u, proof.answer, _account(proof))) is not None:
        return refusal
    owner, claimant = _known(u, proof)
    if _is_doubtful(claimant, owner, proof) and (doubt := _doubt(u, claimant, visit)) is not None:
        return doubt
    person = _settle(u, proof, owner, claimant)
    joining.seen(person)
    u.session.flush()
    tickets = sessions.open_session(u, "citizen", person.id, proof.channel, visit.device)
    return Entered(tickets, questions.me(u, person.id))


def _account(proof: Proof) -> str:
    return sealing.outside_text(proof.channel, proof.outside_id)


def _known(u: Unit, proof: Proof) -> tuple[Person | None, Person | None]:
    """Whose account this is, and whose phone; both locked."""
    door = register.channel_row(u, proof.channel, proof.outside_id)
    phone = register.channel_row(u, "phone", proof.phone) if proof.phone else None
    owner_id = door.person_id if door is not None else None
    claimant_id = phone.person_id if phone is not None else None
    found = register.locked_in_order(u, owner_id, claimant_id)
    if any(person.state == "joined" for person in found.values()):
        raise Conflict
    if door is not None:
        door.used_at = clock.now()
    return found.get(owner_id or ""), found.get(claimant_id or "")


def _settle(u: Unit, proof: Proof, owner: Person | None, claimant: Person | None) -> Person:
    if claimant is None:
        return _with_free_phone(u, proof, owner)
    if owner is None:
        register.link_channel(u, claimant, proof.channel, proof.outside_id)
        return claimant
    if owner is claimant or (owner.level == claimant.level == 2):
        # Two verified persons are two human beings: the number stays where it is.
        return owner
    if owner.level == 2:
        joining.join_with_phone(u, claimant, owner, proof.phone or "")
        return owner
    joining.join(u, owner, claimant)
    return claimant


def _with_free_phone(u: Unit, proof: Proof, owner: Person | None) -> Person:
    """Nobody else has the proven number (or none was proven)."""
    person = owner or register.new_person(u)
    if owner is None and proof.channel != "phone":
        register.link_channel(u, person, proof.channel, proof.outside_id)
    if proof.phone is not None:
        joining.prove_phone(u, person, proof.phone)
    return person


def _is_doubtful(claimant: Person | None, owner: Person | None, proof: Proof) -> TypeGuard[Person]:
    """Whether nothing but a number speaks for the verified person whose door would open.

    A code by SMS came to the phone in hand: it is believed until the number has been silent for long, because
    operators give numbers to somebody else. A platform's word about a number may be old when it comes from an
    account that this person never used here.
    """
    if claimant is None or claimant.level < 2:
        return False
    if proof.channel == "phone":
        return clock.wire_now() - claimant.seen_at >= DORMANT
    return claimant is not owner and (owner is None or owner.level < 2)


def _doubt(u: Unit, person: Person, visit: Visit) -> Problem | None:
    """The end of the ID number is what the holder knows and the number does not tell."""
    if not visit.id_tail:
        raise ProveItIsYou
    limits.take(u, limits.ID_TAIL, person.id)
    if register.id_no_of(person)[-sealing.ID_TAIL_LENGTH :] != visit.id_tail.upper():
        return ProveItIsYou()
    limits.clear(u, limits.ID_TAIL, person.id)
    return None
