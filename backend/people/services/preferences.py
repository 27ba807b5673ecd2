"""What a citizen prefers, served to every channel."""

from backend.people import questions, register
from backend.people.views import MeView
from backend.store.unit import Unit


def prefer(u: Unit, person_id: str, *, elder_mode: bool, push_off: bool) -> MeView:
    """Keep the elder edition on or off, and optional messages off or on. What must be known is sent in any case."""
    person = register.person_row(u, person_id, lock=True)
    person.elder_mode, person.push_off = elder_mode, push_off
    u.session.flush()
    return questions.me(u, person.id)
