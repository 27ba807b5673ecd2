"""The draw itself: pure arithmetic over a public record, so that anybody can do it again (docs/decisions/0007).

    ticket(entry) = HMAC-SHA256(seed ‖ public value, "zhangban draw 1|release|entry"), smallest first
    in this order everybody takes the first wish that has room (no wishes: the soonest slot with room)

A family draws one lot, and has room where all of it has, in one slot.
The seed is committed to before anybody enters; entries and places are frozen before the public value is known.
Whoever can no longer be given what they drew is passed over by name and reason, and those who drew nothing are
asked again in the same order; nobody who won loses a place by that.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from backend.kernel.crypto import canonical

FORMAT: Final = "zhangban draw 2"
FORMATS: Final = ("zhangban draw 1", FORMAT)
"""The first knew no families. The lots are the same in both."""
_LOT: Final = "zhangban draw 1"
SEED_BYTES: Final = 32
OPEN, ELDER = "open", "elder"
PLACE_GONE: Final = frozenset({"slot-closed", "slot-taken", "not-found"})
"""Refusals that take the place away with them: nobody else could be given it either."""
OUT: Final = "out"
"""All that the world learns of why somebody takes no part, or cannot be given what they drew."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EntryLine(_Line):
    """One entry: `party` places, `elder` may take those kept for the elderly; `out` says that it takes no part.

    It is one word for all (older records say why).
    """

    id: str
    wishes: tuple[str, ...]
    elder: bool
    out: str
    party: int = Field(1, ge=1)


class SlotLine(_Line):
    """One slot with its free places for everybody and for the elderly; slots are listed soonest first."""

    id: str
    starts_at: str
    open: int
    elder: int


class Frozen(_Line):
    """What stood fast when entries closed; `public_value_at` is when the source was to state the value."""

    format: str
    release: str
    site: str
    item: str
    subject: str
    mode: str
    commitment: str
    public_source: str
    public_value_at: str = ""
    entries_until: str
    frozen_at: str
    entries: tuple[EntryLine, ...]
    slots: tuple[SlotLine, ...]


class Seat(_Line):
    """A place given to an entry; `kind` says out of which quota. A family has several, in one slot."""

    entry: str
    slot: str
    kind: str


class Refused(_Line):
    """An entry that could not be given what it drew; `why` only where the place itself is gone, else "out".

    Older records name the kind of problem (docs/problems.md), or "withdrawn".
    """

    entry: str
    why: str


class Record(_Line):
    """What is published: first what is frozen, then seed, value and order, then who won."""

    frozen: Frozen
    frozen_digest: str
    seed: str | None = None
    public_value: str | None = None
    closed: tuple[str, ...] = ()
    order: tuple[str, ...] | None = None
    refused: tuple[Refused, ...] | None = None
    won: tuple[Seat, ...] | None = None
    digest: str


Seats = dict[str, tuple[Seat, ...]]


def commitment_of(seed: bytes) -> bytes:
    """What is published of a seed before anybody enters: its SHA-256."""
    return hashlib.sha256(seed).digest()


def ticket_of(seed: bytes, public_value: str, release_id: str, entry_id: str) -> bytes:
    """The lot of one entry: 32 bytes, the smallest comes first."""
    message = f"{_LOT}|{release_id}|{entry_id}".encode()
    return hmac.digest(seed + public_value.encode(), message, "sha256")


def order_of(seed: bytes, public_value: str, release_id: str, entry_ids: Iterable[str]) -> list[str]:
    """Entry ids in the order of their lots."""
    return sorted(entry_ids, key=lambda one: (ticket_of(seed, public_value, release_id, one), one))


def award(
    frozen: Frozen, order: Sequence[str], closed: Iterable[str], refused: Mapping[str, str]
) -> list[Seats]:
    """Who gets which place, round by round: the draw, then the places of those refused, until nothing is left.

    A round depends only on refusals of the rounds before it, so it may be carried out while it is not known yet
    whom it will refuse.
    """
    gone, known = set(closed), {entry.id: entry for entry in frozen.entries}
    room = {slot.id: {OPEN: slot.open, ELDER: slot.elder} for slot in frozen.slots if slot.id not in gone}
    waiting = [known[one] for one in order if not known[one].out]
    rounds: list[Seats] = []
    while given := _one_round(waiting, room):
        rounds.append(given)
        waiting = [entry for entry in waiting if entry.id not in given]
        for seat in (seat for seats in given.values() for seat in seats):
            if seat.entry in refused and refused[seat.entry] not in PLACE_GONE:
                room[seat.slot][seat.kind] += 1
    return rounds


def told(why: str) -> str:
    """What a record says of a reason: whether the place went with it, and nothing about the person."""
    return why if not why or why in PLACE_GONE else OUT


def winners(rounds: Iterable[Seats], refused: Mapping[str, str]) -> list[Seat]:
    """Every place that was kept, round by round in the order of the lots."""
    return [
        seat for given in rounds for seats in given.values() for seat in seats if seat.entry not in refused
    ]


def freeze(frozen: Frozen) -> dict[str, Any]:
    """The record as it is published when entries close."""
    plain = frozen.model_dump(mode="json")
    return signed({"frozen": plain, "frozen_digest": digest_of(plain)})


def signed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the digest of everything else in it."""
    rest = {name: value for name, value in record.items() if name != "digest"}
    return {**rest, "digest": digest_of(rest)}


def digest_of(value: object) -> str:
    """SHA-256 of the canonical JSON (sorted keys, no spaces, UTF-8), in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _one_round(waiting: Iterable[EntryLine], room: dict[str, dict[str, int]]) -> Seats:
    given: Seats = {}
    for entry in waiting:
        seats = _first_with_room(entry, room)
        for seat in seats:
            room[seat.slot][seat.kind] -= 1
        if seats:
            given[entry.id] = seats
    return given


def _first_with_room(entry: EntryLine, room: Mapping[str, Mapping[str, int]]) -> tuple[Seat, ...]:
    """Places for the whole party in the first wish that has as many; none when no wish has."""
    kinds = (ELDER, OPEN) if entry.elder else (OPEN,)
    for slot in entry.wishes or room:
        left = [kind for kind in kinds for _ in range(room.get(slot, {}).get(kind, 0))]
        if len(left) >= entry.party:
            return tuple(Seat(entry=entry.id, slot=slot, kind=kind) for kind in left[: entry.party])
    return ()
