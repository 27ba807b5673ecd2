"""Gathers what a message says, from the houses that know it, and until when it is true."""

from collections.abc import Mapping
from datetime import datetime

from backend.runtime.facts import facts_of
from backend.store.unit import Unit
from notifications.kinds import KINDS
from notifications.models import Message


def words_of_matter(u: Unit, about: str, subject: str) -> dict[str, str]:
    """Words of the matter and of the thing itself; the citizen knows the matter by its number."""
    matter, thing = facts_of(u, about), facts_of(u, subject)
    values = {**matter, **thing}
    values["number"] = matter.get("number") or thing.get("number", "")
    values["item"] = matter.get("item") or thing.get("item") or thing.get("item_name", "")
    values["not_after"] = thing.get("not_after") or matter.get("not_after", "")
    return values


def words_of_thing(u: Unit, about: str, subject: str) -> dict[str, str]:
    """The same for a thing with a number of its own, such as an appointment: at the window that one counts."""
    return {**facts_of(u, about), **facts_of(u, subject)}


def moment(values: Mapping[str, str], name: str) -> datetime | None:
    """A moment among the words (ISO 8601)."""
    return datetime.fromisoformat(values[name]) if values.get(name) else None


def standing_reminder(
    reminder: str, booking_id: str, words: Mapping[str, str]
) -> tuple[str, datetime] | None:
    """The fact a reminder tells, and until when it is worth hearing; None when its house does not name it."""
    end = moment(words, f"{reminder}_not_after")
    return None if end is None else (f"{booking_id} {end.isoformat()}", end)


def still_stands(row: Message, words: Mapping[str, str]) -> bool:
    """Whether a message speaks of the appointment as it is, not as it was."""
    kind = KINDS[row.kind]
    if kind.during:
        return words.get(kind.during) in row.dedupe.split()
    standing = standing_reminder(kind.reminder, row.subject, words)
    return standing is not None and standing[0] == row.dedupe


def still_true_until(u: Unit, row: Message, now: datetime) -> datetime | None:
    """Until when the houses say that this message is worth hearing: None without end, `now` when it is over."""
    if row.person_id is None:
        return None
    words, kind = words_of_matter(u, row.about, row.subject), KINDS[row.kind]
    reminder = kind.reminder
    if (reminder or kind.during) and not still_stands(row, words):
        return now
    return moment(words, f"{reminder}_not_after" if reminder else "not_after")
