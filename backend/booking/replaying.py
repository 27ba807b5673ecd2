"""Does a draw again from its public record and says in plain words what agrees. Needs no database and no secret."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backend.booking import draws
from backend.booking.draws import Record


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was computed again."""

    says: str
    agrees: bool


def replay(published: object) -> list[Check]:
    """Everything that anybody can check of a published record (GET /mp/v1/releases/<id>/record)."""
    if not isinstance(published, Mapping):
        return [Check("this is the record of a release", agrees=False)]
    try:
        record = Record.model_validate(published)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return [Check(f"this is the record of a release (look at {where}: {first['msg']})", agrees=False)]
    checks = _whole(record, published)
    if record.seed is None or record.public_value is None or record.order is None:
        return [
            *checks,
            Check("the order has been drawn (it has not, or the release was called off)", agrees=False),
        ]
    checks += _order(record)
    if record.frozen.mode == "draw":
        checks += _outcome(record)
    return checks


def _whole(record: Record, published: Mapping[str, Any]) -> list[Check]:
    frozen, digest = record.frozen, draws.signed(published)["digest"]
    return [
        Check(f"the record is in the form {draws.FORMAT!r}", frozen.format == draws.FORMAT),
        Check(f"its digest is that of its contents ({digest})", hmac.compare_digest(record.digest, digest)),
        Check(
            f"the {len(frozen.entries)} entries and {len(frozen.slots)} slots are those frozen when entries closed",
            record.frozen_digest == draws.digest_of(published["frozen"]),
        ),
        Check("every entry and every slot stands there once", _is_tidy(record)),
    ]


def _is_tidy(record: Record) -> bool:
    frozen = record.frozen
    entries, slots = [one.id for one in frozen.entries], [one.id for one in frozen.slots]
    return len(set(entries)) == len(entries) and len(set(slots)) == len(slots)


def _order(record: Record) -> list[Check]:
    frozen, seed = record.frozen, _bytes(record.seed or "")
    value = record.public_value or ""
    order = draws.order_of(seed, value, frozen.release, [entry.id for entry in frozen.entries])
    mixed = f"mixed with the public value {value!r} ({frozen.public_source})" if value else "alone"
    return [
        Check(
            f"the seed is the one committed to beforehand ({frozen.commitment})",
            draws.commitment_of(seed).hex() == frozen.commitment,
        ),
        Check(f"the order is that of the seed {mixed}", list(record.order or ()) == order),
    ]


def _outcome(record: Record) -> list[Check]:
    if record.won is None or record.refused is None:
        return [Check("the places have been handed out (that is still going on)", agrees=False)]
    refused = {one.entry: one.why for one in record.refused}
    # The order computed again, not the one written down: a forged order must not vouch for its winners.
    frozen, seed = record.frozen, _bytes(record.seed or "")
    order = draws.order_of(
        seed, record.public_value or "", frozen.release, [one.id for one in frozen.entries]
    )
    rounds = draws.award(frozen, order, record.closed, refused)
    drew = {entry for seats in rounds for entry in seats}
    return [
        Check(f"{len(refused)} were passed over, and all of them had drawn a place", refused.keys() <= drew),
        Check(
            f"the {len(record.won)} places went to those first in the order who wished for them",
            list(record.won) == draws.winners(rounds, refused),
        ),
    ]


def _bytes(text: str) -> bytes:
    """The bytes written in hexadecimal; none when it is not."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
