"""Facts of parcels."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class ParcelEvent(Event):
    """`direction` is inbound (citizen to department) or outbound (department to citizen).

    `purpose` is materials, result, or return (originals on their way home).
    """

    person_id: str
    parcel_id: str
    direction: str
    purpose: str = "result"


@dataclass(frozen=True, slots=True)
class ParcelOrdered(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelCollected(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelDelivered(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelTroubled(ParcelEvent):
    pass


@dataclass(frozen=True, slots=True)
class ParcelChecked(ParcelEvent):
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ParcelCancelled(ParcelEvent):
    pass
