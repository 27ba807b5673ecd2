"""The open town as the demo knows it: addresses and accounts from its entry, and the hands of the outside world."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from backend.kernel import clock
from demo.line import Line
from demo.story import Differs, Story
from town import book

SEEN_S = 0.1
"""The town's processes look at the clock's file twenty times a second."""


@dataclass(frozen=True, slots=True)
class World:
    """Where the town and the simulators are, and who may stand at its windows."""

    town_url: str
    sim_url: str
    accounts: dict[str, list[dict[str, Any]]]

    def outside(self, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """Act in the outside world: a POST with a body, a GET without."""
        method = "GET" if body is None else "POST"
        response = requests.request(
            method, f"{self.sim_url}/control{path}", json=body, params=query, timeout=20
        )
        response.raise_for_status()
        return response.json()

    def new_person(self) -> dict[str, str]:
        """Somebody new in the population: name, id_no, phone."""
        person: dict[str, str] = self.outside("/people", {})
        return person

    def system(self, department_id: str) -> Line:
        """The line of a department's own system, signing with its key."""
        key = next(key for key in self.accounts["systems"] if key["department_id"] == department_id)
        return Line(self.town_url, system=(key["key_id"], key["secret"]))

    def code_sent_to(self, story: Story, phone: str, seen_before: int) -> str:
        """The newest verification code on a phone, once it is there."""

        def look() -> str | None:
            texts = [message["text"] for message in self.texts_of(phone)][seen_before:]
            codes = [digits for text in texts if (digits := _six_digits(text))]
            return codes[-1] if codes else None

        return story.until("the verification code", look)

    def texts_of(self, phone: str) -> list[dict[str, Any]]:
        """SMS received by a phone, oldest first."""
        messages: list[dict[str, Any]] = self.outside("/sms/inbox", phone=phone)["messages"]
        return messages


def opened() -> World:
    """Read the town's entry, and hold its business clock. Raises Differs when the town is closed."""
    entry = book.read()
    if entry is None or "accounts" not in entry:
        raise Differs("the town is closed: `make run` opens it (in another terminal)")
    clock.use_file(Path(entry["clock_file"]))
    return World(entry["addresses"]["town"], entry["addresses"]["simulators"], entry["accounts"])


def to_the_moment(at: dt.datetime) -> None:
    """Move the business clock forward to a moment (never back), and let the town see it."""
    if at > clock.now():
        clock.move_to(at)
        clock.sleep(SEEN_S)


def to_office_hours() -> dt.datetime:
    """Move the business clock to ten in the morning of the next weekday: offices are open, phones may ring."""
    day = clock.today() + dt.timedelta(days=1)
    while day.weekday() >= 5:
        day += dt.timedelta(days=1)
    to_the_moment(clock.at_local(day, 10))
    return clock.now()


def moment(text: str) -> dt.datetime:
    """A time as the town writes it."""
    return dt.datetime.fromisoformat(text)


def spoken(text: str) -> str:
    """A time as people in Bozhou read it."""
    return f"{clock.local(moment(text)):%m-%d %H:%M}"


def _six_digits(text: str) -> str:
    runs = "".join(c if c.isdigit() else " " for c in text).split()
    return next((run for run in runs if len(run) == 6), "")
