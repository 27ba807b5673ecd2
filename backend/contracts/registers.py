"""Facts of the registers of people and items."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class PersonRegistered(Event):
    person_id: str


@dataclass(frozen=True, slots=True)
class ItemPublished(Event):
    item_version_id: str
