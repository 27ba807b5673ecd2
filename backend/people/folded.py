"""Questions to the register that houses on the hot path fold into a statement of their own, instead of asking twice."""

from typing import Final

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
