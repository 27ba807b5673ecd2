"""Facts of the registers of people and items."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class PersonRegistered(Event):
    person_id: str


@dataclass(frozen=True, slots=True)
class PersonJoined(Event):
    """`joined_id`, never verified, turned out to be `person_id`: what it did is theirs. The matter is `joined_id`."""

    person_id: str
    joined_id: str


@dataclass(frozen=True, slots=True)
class ItemPublished(Event):
    item_version_id: str
