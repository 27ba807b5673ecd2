"""One person, not two: what happens when two ways in, or two rows, turn out to be the same human being.

Only a person whose identity was never verified is ever joined to another: such a row can have filed nothing. What it
may have done (booked where a site asks for no more than a phone) other houses carry over when they hear of it.
"""

from sqlalchemy import delete, update

from backend.contracts import PersonJoined
from backend.kernel import clock
from backend.people import register, wording
from backend.people.machine import PERSON
from backend.people.models import Address, Channel, Person
from backend.people.services import sessions
from backend.store.unit import Actor, Unit


def prove_phone(u: Unit, person: Person, phone: str) -> None:
    """The person holds this number, which is nobody else's: it becomes their way in and where they are reached."""
    drop_phone(u, person)
    register.link_channel(u, person, "phone", phone)
    _reached_at(u, person, phone)


def join(u: Unit, loser: Person, winner: Person) -> None:
    """Make `loser` (never verified) part of `winner`: its channels and addresses move, its sessions end."""
    if _has_phone_channel(u, winner):
        drop_phone(u, loser)
    u.session.execute(update(Channel).where(Channel.person_id == loser.id).values(person_id=winner.id))
    u.session.execute(update(Address).where(Address.person_id == loser.id).values(person_id=winner.id))
    sessions.end_all_sessions(u, loser.id, "joined")
    actor = Actor("citizen", winner.id)
    u.step(PERSON, loser, "joined", by=actor, facts={"to": winner.id})
    u.record(PersonJoined(loser.id, winner.id, loser.id))
    u.note(winner.id, loser.id, "took_in", by=actor, says=wording.label("note.took_in"))
    loser.joined_to, loser.phone, loser.phone_blind = winner.id, None, None


def join_with_phone(u: Unit, loser: Person, winner: Person, phone: str) -> None:
    """As join; the number the loser has just proven becomes the winner's."""
    drop_phone(u, winner)
    join(u, loser, winner)
    _reached_at(u, winner, phone)


def drop_phone(u: Unit, person: Person) -> None:
    """The person no longer enters by phone."""
    u.session.execute(delete(Channel).where(Channel.person_id == person.id, Channel.channel == "phone"))


def seen(person: Person) -> None:
    """The person was here; a number unused for long is doubted."""
    person.seen_at = clock.wire_now()


def _reached_at(u: Unit, person: Person, phone: str) -> None:
    register.write_phone(person, phone)
    u.step(PERSON, person, "phone_proven", by=Actor("citizen", person.id))


def _has_phone_channel(u: Unit, person: Person) -> bool:
    held = u.session.query(Channel.id).filter(Channel.person_id == person.id, Channel.channel == "phone")
    return held.first() is not None
