"""The register's own shelves: find a person's row by id, number, channel or phone, and write its sealed fields."""

from backend.kernel import clock, ids, privacy
from backend.kernel.problems import NotFound
from backend.people import sealing, wording
from backend.people.machine import PERSON
from backend.people.models import Channel, Person
from backend.store import vault
from backend.store.unit import Actor, Unit


def person_row(u: Unit, person_id: str, *, lock: bool = False) -> Person:
    """The person's row; one that was joined to another leads there. Raises NotFound."""
    person = u.get(Person, person_id, lock=lock)
    if person is not None and person.joined_to is not None:
        person = u.get(Person, person.joined_to, lock=lock)
    if person is None:
        raise NotFound
    return person


def locked_in_order(u: Unit, *person_ids: str | None) -> dict[str, Person]:
    """Lock several persons in the order of their ids, as everybody does, so that nobody deadlocks."""
    wanted = sorted({person_id for person_id in person_ids if person_id})
    found = {person_id: u.get(Person, person_id, lock=True) for person_id in wanted}
    return {person_id: person for person_id, person in found.items() if person is not None}


def id_by_number(u: Unit, id_no: str) -> str | None:
    """Id of the one person with this ID number."""
    blinds = vault.blinds(sealing.PERSON_NUMBER, id_no)
    found = u.session.query(Person.id).filter(Person.number_blind.in_(blinds)).first()
    return found[0] if found is not None else None


def channel_row(u: Unit, channel: str, outside_id: str) -> Channel | None:
    """The channel that opens somebody's door."""
    blinds = vault.blinds(sealing.CHANNEL, sealing.outside_text(channel, outside_id))
    return (
        u.session.query(Channel).filter(Channel.channel == channel, Channel.outside_blind.in_(blinds)).first()
    )


def new_person(u: Unit, by: Actor | None = None) -> Person:
    """A visitor of whom nothing is known yet."""
    person = Person(id=ids.new_id("ps"), created_at=clock.now(), seen_at=clock.wire_now())
    u.begin(PERSON, person, by=by or Actor("citizen", person.id), says=wording.label("begun.person"))
    u.add(person)
    u.session.flush()
    return person


def link_channel(u: Unit, person: Person, channel: str, outside_id: str) -> None:
    """Give the person one more way in. The database decides when two requests bring the same outside id."""
    row_id, now, outside = ids.new_id("ch"), clock.now(), sealing.outside_text(channel, outside_id)
    door = Channel(
        id=row_id, person_id=person.id, channel=channel, linked_at=now, used_at=now,
        outside_id=vault.seal(sealing.CHANNEL, row_id, outside),
        outside_blind=vault.blind(sealing.CHANNEL, outside),
    )  # fmt: skip
    u.add(door)
    u.session.flush()


def write_identity(person: Person, name: str, id_no: str, how: str) -> None:
    """Name and number, sealed, with the indexes by which they are found. `how`: authority or counter."""
    person.name = vault.seal(sealing.PERSON_NAME, person.id, name)
    person.id_no = vault.seal(sealing.PERSON_NUMBER, person.id, id_no)
    person.number_blind = vault.blind(sealing.PERSON_NUMBER, id_no)
    person.name_blind = vault.blind(sealing.PERSON_NAME, name)
    tail = sealing.tail_text(privacy.surname(name), id_no)
    person.tail = vault.seal(sealing.PERSON_TAIL, person.id, tail)
    person.tail_blind = vault.blind(sealing.PERSON_TAIL, tail)
    person.verified_at, person.verified_by = clock.now(), how


def write_phone(person: Person, phone: str) -> None:
    """The number at which the person is reached."""
    person.phone = vault.seal(sealing.PERSON_PHONE, person.id, phone)
    person.phone_blind = vault.blind(sealing.PERSON_PHONE, phone)


def phone_of(person: Person) -> str:
    return sealing.opened(sealing.PERSON_PHONE, person.id, person.phone)


def id_no_of(person: Person) -> str:
    return sealing.opened(sealing.PERSON_NUMBER, person.id, person.id_no)


def name_of(person: Person) -> str:
    return sealing.opened(sealing.PERSON_NAME, person.id, person.name)
