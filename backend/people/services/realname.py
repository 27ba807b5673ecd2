"""Real-name registration: name and ID number, checked by the authority, never two persons with one number.

Remember the try, lift the telephone with no unit open, remember the outcome. Silence is neither yes nor no:
nothing is written then, and the try is given back.
"""

import logging
from dataclasses import dataclass

from backend.contracts import PersonRegistered
from backend.kernel import clock, identifiers, privacy
from backend.kernel.problems import ChannelRefused, ChannelSilent, FieldError, InvalidInput, Problem
from backend.people import questions, register, wording
from backend.people.identity import authority
from backend.people.machine import PERSON
from backend.people.models import Person, SessionRow
from backend.people.problems import (
    AlreadyVerified,
    GuardianNeeded,
    IdentityMismatch,
    PhoneNeeded,
    RegisteredElsewhere,
)
from backend.people.services import codes, consents, joining, limits, looks, sessions
from backend.people.services.races import settled
from backend.people.views import PersonView, RealName
from backend.runtime.audience import Principal
from backend.runtime.outbound import OutsideError
from backend.store.unit import Actor, Unit, run_unit

log = logging.getLogger(__name__)
SCOPE = "real_name"
AGE_OF_CONSENT = 14
"""Below it a guardian must agree (Personal Information Protection Law, article 31)."""
_SILENT = "身份核验机构暂时没有回应，您填写的内容没有提交，请几分钟后再试。"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says they are, and the version of the text they agreed to.

    `code` proves the phone of an earlier registration, where there is one.
    """

    name: str
    id_no: str
    consent_version: str
    code: str = ""


def register_real_name(person_id: str, session_id: str, claim: Claim) -> RealName:
    """Verify a person with the authority [own units, outside call]; the same number again changes nothing.

    Raises InvalidInput, GuardianNeeded, PhoneNeeded, AlreadyVerified, ConsentOutdated, TooManyTries, ChannelSilent,
    IdentityMismatch, RegisteredElsewhere (409: the number is known with another phone), WrongCode.
    """
    claim = _tidied(claim)
    consents.require_current(SCOPE, claim.consent_version)
    if (known := run_unit(lambda u: _count_try(u, person_id, claim))) is not None:
        return known
    try:
        matches = _ask(claim.name, claim.id_no)
    except Problem:
        run_unit(lambda u: limits.give_back(u, limits.REAL_NAME, person_id))
        raise
    if not matches:
        raise IdentityMismatch
    return settled(lambda u: _verified(u, person_id, session_id, claim))


def register_at_window(name: str, id_no: str, phone: str, by: Principal) -> PersonView:
    """A clerk has seen the card and files for its holder: find or make the verified person [own units, outside call].

    So many an hour for one clerk, each written down as a look. Raises InvalidInput, TooMany, ChannelSilent,
    IdentityMismatch.
    """
    claim, phone = _checked(Claim(name, id_no, "")), identifiers.tidy_mobile(phone)
    if phone and not identifiers.is_mobile(phone):
        raise InvalidInput(errors=[FieldError(field="phone", message="手机号应为 11 位数字，请核对。")])
    run_unit(lambda u: limits.take(u, limits.APPLICANTS, by.id))
    if not _ask(claim.name, claim.id_no):
        raise IdentityMismatch
    return settled(lambda u: _seen_at_window(u, claim, phone, by))


def _tidied(claim: Claim) -> Claim:
    claim = _checked(claim)
    if _age(claim.id_no) < AGE_OF_CONSENT:
        raise GuardianNeeded
    return claim


def _checked(claim: Claim) -> Claim:
    name, id_no = identifiers.tidy_person_name(claim.name), identifiers.tidy_id_no(claim.id_no)
    faults = {"name": identifiers.person_name_problem(name), "id_no": identifiers.id_no_problem(id_no)}
    errors = [FieldError(field=field, message=reason) for field, reason in faults.items() if reason]
    if errors:
        raise InvalidInput(errors=errors)
    return Claim(name, id_no, claim.consent_version, claim.code)


def _age(id_no: str) -> int:
    born, today = identifiers.birth_date(id_no), clock.today()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _count_try(u: Unit, person_id: str, claim: Claim) -> RealName | None:
    person = register.person_row(u, person_id, lock=True)
    if person.level == 2:
        if register.id_no_of(person) != claim.id_no:
            raise AlreadyVerified
        return RealName(questions.me(u, person.id), None)
    if person.level < 1:
        raise PhoneNeeded
    limits.take(u, limits.REAL_NAME, person.id)
    return None


def _ask(name: str, id_no: str) -> bool:
    try:
        return authority().matches(name, id_no)
    except OutsideError as error:
        log.warning("identity authority did not say", extra={"code": error.code})
        raise (ChannelRefused if error.permanent else ChannelSilent)(_SILENT, retry_after=60) from error


def _verified(u: Unit, person_id: str, session_id: str, claim: Claim) -> RealName | Problem:
    known_id = register.id_by_number(u, claim.id_no)
    found = register.locked_in_order(u, person_id, known_id)
    person = found[person_id]
    if known_id is None:
        _become(u, person, claim, "authority", person_actor(person))
        _agree(u, person, session_id, claim)
        return RealName(questions.me(u, person.id), None)
    known = found[known_id]
    if known is not person and (refusal := _is_somebody_else(u, person, known, claim)) is not None:
        return refusal
    _agree(u, known, session_id, claim)
    if known is person:
        return RealName(questions.me(u, person.id), None)
    return _joined(u, person, known, session_id)


def _is_somebody_else(u: Unit, person: Person, known: Person, claim: Claim) -> Problem | None:
    """The number is registered: the earlier registration's phone must be in the same hand."""
    phone = register.phone_of(known)
    if phone and phone == register.phone_of(person):
        return None
    if phone and claim.code:
        return codes.try_code(u, phone, "real_name", claim.code, person.id)
    return RegisteredElsewhere(phone=privacy.mask_phone(phone) if phone else "")


def _joined(u: Unit, person: Person, known: Person, session_id: str) -> RealName:
    """The present login continues as the person already registered, under new tickets."""
    session = u.get(SessionRow, session_id)
    joining.join(u, person, known)
    joining.seen(known)
    channel, device = (session.channel, session.device) if session is not None else ("phone", "")
    u.session.flush()
    return RealName(questions.me(u, known.id), sessions.open_session(u, "citizen", known.id, channel, device))


def _become(u: Unit, person: Person, claim: Claim, how: str, by: Actor) -> None:
    register.write_identity(person, claim.name, claim.id_no, how)
    u.step(PERSON, person, "identity_verified", by=by, facts={"how": how})
    u.record(PersonRegistered(matter=person.id, person_id=person.id))
    u.session.flush()


def _agree(u: Unit, person: Person, session_id: str, claim: Claim) -> None:
    session = u.get(SessionRow, session_id)
    consents.give_consent(u, person.id, SCOPE, claim.consent_version, session.channel if session else "")


def _seen_at_window(u: Unit, claim: Claim, phone: str, by: Principal) -> PersonView:
    known_id = register.id_by_number(u, claim.id_no)
    person = register.person_row(u, known_id, lock=True) if known_id else register.new_person(u, by.actor)
    if phone and person.phone is None:
        register.write_phone(person, phone)
    if person.level < 2:
        _become(u, person, claim, "counter", by.actor)
    looks.note_look(u, person.id, by, "detail", wording.label("purpose.window"))
    return questions.view_of(person)


def person_actor(person: Person) -> Actor:
    """The citizen, as the journal names them."""
    return Actor("citizen", person.id)
