"""Questions to the register that houses on the hot path fold into a statement of their own, instead of asking twice."""

from typing import Final

from backend.people import sealing
from backend.store import vault

SESSION: Final = (
    "EXISTS (SELECT 1 FROM people_session"
    " WHERE id = %(session)s AND subject_id = %(person)s AND ended_at IS NULL)"
)
"""Whether the session lives."""
STATE: Final = (
    "(SELECT coalesce(j.state, p.state) FROM people_person p LEFT JOIN people_person j ON j.id = p.joined_to"
    " WHERE p.id = %(person)s)"
)
"""How far the person has come: for require_level_of. Null when there is no such person."""
NUMBER: Final = (
    "(SELECT coalesce(j.number_blind, p.number_blind) FROM people_person p"
    " LEFT JOIN people_person j ON j.id = p.joined_to WHERE p.id = %(person)s)"
)
"""Blind index of the person's ID number, as number_blinds gives it. Null before the number is verified."""
HOLDER: Final = "(SELECT p.id FROM people_person p WHERE p.number_blind = {blind})"
"""Whose ID number has this blind index; null for a number that the register does not know."""
NUMBER_PLACE: Final = sealing.PERSON_NUMBER
"""For houses that index ID numbers of their own so that they compare with the register's."""


def number_blind(id_no: str) -> bytes:
    """Blind index of an ID number (x as X) under the present key."""
    return vault.blind(NUMBER_PLACE, id_no)


def number_blinds(id_no: str) -> list[bytes]:
    """All blind indexes that a row may carry for an ID number (x as X) while the index key is being changed."""
    return vault.blinds(NUMBER_PLACE, id_no)
