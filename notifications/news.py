"""News of a matter in the words of the houses that know it."""

from collections.abc import Mapping

from backend.contracts import BookingEvent
from backend.store.unit import Unit
from notifications.gathering import moment, words_of_matter
from notifications.telling import News, tell


def tell_of_matter(
    u: Unit, kind: str, person_id: str, about: str, subject: str, fact: str,
    more: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Tell somebody of a thing that belongs to a matter."""
    values = {**words_of_matter(u, about, subject), **(more or {})}
    tell(u, News(kind, fact, person_id, about, subject, values, moment(values, "not_after")))


def tell_of_booking(
    u: Unit, kind: str, event: BookingEvent, words: Mapping[str, str], which: str = "", until: str = "not_after"
) -> None:  # fmt: skip
    """Tell somebody of an appointment.

    `which` tells apart facts of one kind about one booking; `until` names the moment after which it is untrue.
    """
    fact = f"{event.booking_id} {which}".rstrip()
    tell(u, News(kind, fact, event.person_id, event.matter, event.booking_id, words, moment(words, until)))
