"""Questions to the register. Everything is masked unless the name of the question says otherwise."""

from collections.abc import Callable, Iterable

from backend.kernel import clock, identifiers, privacy
from backend.kernel.problems import InvalidInput, NotFound
from backend.people import folded, register, sealing, wording
from backend.people.models import Channel, Person
from backend.people.models.citizens import LEVELS
from backend.people.problems import PhoneNeeded, RealNameNeeded
from backend.people.views import Contact, MeView, PersonView
from backend.store import lean, vault
from backend.store.unit import Unit

MOST_FOUND = 20
VERIFIED = 2


def person_of(u: Unit, person_id: str) -> PersonView:
    """A citizen, masked. Raises NotFound."""
    return view_of(register.person_row(u, person_id))


def persons_of(u: Unit, person_ids: Iterable[str]) -> dict[str, PersonView]:
    """Several citizens, masked, in one look: for a clerk's list. Raises NotFound."""
    wanted = set(person_ids)
    # The session forgets what nobody holds: the list keeps the rows until each was seen.
    rows = list(u.session.query(Person).filter(Person.id.in_(wanted)))
    return {person_id: person_of(u, person_id) for person_id in wanted} if rows else {}


def me(u: Unit, person_id: str) -> MeView:
    """A citizen as they see themselves. Raises NotFound."""
    person = register.person_row(u, person_id)
    seen = view_of(person)
    channels = u.session.query(Channel.channel).filter(Channel.person_id == person.id).distinct()
    return MeView(
        seen.id, seen.level, wording.label(f"level.{seen.level}"), seen.name_masked, seen.id_no_masked,
        seen.phone_masked, tuple(sorted(row[0] for row in channels)), person.elder_mode, person.push_off,
    )  # fmt: skip


def require_level(u: Unit, person_id: str, level: int = 2) -> None:
    """Raises PhoneNeeded or RealNameNeeded when the person has not come so far, NotFound. One lean statement."""
    found = lean.execute(u.session, f"SELECT {folded.STATE}", {"person": person_id}).fetchone()
    require_level_of(found[0] if found else None, level)


def require_level_of(state: str | None, level: int = 2) -> None:
    """As require_level, of the state that folded.STATE answered."""
    if state is None:
        raise NotFound
    if LEVELS[state] < level:
        raise RealNameNeeded if level == 2 else PhoneNeeded


def may_act_for(u: Unit, actor_person: str, subject: str) -> bool:
    """Whether one may act for the other: everybody for themselves; agents and relatives come with their own issue."""
    return register.person_row(u, actor_person).id == register.person_row(u, subject).id


def contact_of(u: Unit, person_id: str) -> Contact:
    """How to reach somebody, in plain words: for messages and carriers only. Raises NotFound."""
    person = register.person_row(u, person_id)
    return Contact(
        person.id,
        register.phone_of(person) or None,
        _accounts(u, person.id),
        person.elder_mode,
        person.push_off,
    )


def account_of(u: Unit, person_id: str, platform: str) -> str | None:
    """The person's account on a platform ("wechat", "alipay"), as that platform names it."""
    return contact_of(u, person_id).openids.get(platform)


def name_of(u: Unit, person_id: str) -> str:
    """The plain name, for documents made out to the person. Raises NotFound."""
    return register.name_of(register.person_row(u, person_id))


def id_tail_matches(u: Unit, person_id: str, tail: str) -> bool:
    """Whether the person's ID number ends so (four characters, x as X)."""
    id_no = register.id_no_of(register.person_row(u, person_id))
    return len(tail) == sealing.ID_TAIL_LENGTH and id_no.endswith(tail.upper())


def is_own_id_no(u: Unit, person_id: str, id_no: str) -> bool:
    """Whether this is the person's own ID number (x as X)."""
    own = register.id_no_of(register.person_row(u, person_id))
    return bool(own) and own == identifiers.tidy_id_no(id_no)


def verified_id_no(u: Unit, person_id: str) -> str:
    """The plain ID number the authority has confirmed, "" for whoever has none: to find what names this person."""
    person = u.get(Person, person_id)
    if person is not None and person.joined_to is not None:
        person = u.get(Person, person.joined_to)
    return register.id_no_of(person) if person is not None and person.level == VERIFIED else ""


def verified_owner_of(u: Unit, id_no: str) -> str | None:
    """Whose ID number this is, if the authority has confirmed it: to tell them what names them."""
    return next((one.id for one in find_person(u, id_no=id_no) if one.level == VERIFIED), None)


def age_of(u: Unit, person_id: str) -> int:
    """How many years old the person is today by their ID number; 0 when they have none."""
    return identifiers.age_of(register.id_no_of(register.person_row(u, person_id)), clock.today())


def find_person(
    u: Unit, *, id_no: str | None = None, phone: str | None = None, name: str | None = None,
    surname_tail: str | None = None,
) -> tuple[PersonView, ...]:  # fmt: skip
    """Who has this ID number, phone, exact name, or surname + ID tail ("张001X"); masked, at most 20.

    Exactly one of the four is asked for; InvalidInput otherwise.
    """
    asked = [
        (column, place, value)
        for column, place, value in (
            (Person.number_blind, sealing.PERSON_NUMBER, id_no and id_no.upper()),
            (Person.phone_blind, sealing.PERSON_PHONE, phone),
            (Person.name_blind, sealing.PERSON_NAME, name),
            (Person.tail_blind, sealing.PERSON_TAIL, surname_tail and surname_tail.upper()),
        )
        if value
    ]
    if len(asked) != 1:
        raise InvalidInput("请只填写一种查询条件。")
    column, place, value = asked[0]
    rows = (
        u.session.query(Person)
        .filter(column.in_(vault.blinds(place, str(value))), Person.joined_to.is_(None))
        .order_by(Person.id)
        .limit(MOST_FOUND)
    )
    return tuple(view_of(row) for row in rows)


def view_of(person: Person) -> PersonView:
    return PersonView(
        person.id,
        _masked(register.name_of(person), privacy.mask_name),
        _masked(register.id_no_of(person), privacy.mask_id_no),
        _masked(register.phone_of(person), privacy.mask_phone),
        person.level,
    )


def _masked(text: str, mask: Callable[[str], str]) -> str:
    return mask(text) if text else ""


def _accounts(u: Unit, person_id: str) -> dict[str, str]:
    """One account per platform: the one used last."""
    rows = u.session.query(Channel).filter(Channel.person_id == person_id, Channel.channel != "phone")
    newest = sorted(rows, key=lambda row: row.used_at)
    opened = (vault.open_sealed(sealing.CHANNEL, row.id, row.outside_id) for row in newest)
    return dict(text.split(":", 1) for text in opened)
