"""What decides a draw: the public value written down by two, then the seed revealed. The rest is arithmetic."""

import unicodedata
from typing import Any, Final

from backend.booking.models import ReleaseRow
from backend.booking.problems import PublicValueMissing, ReleaseNotReady, SameHands, ValuesDiffer
from backend.booking.questions import spoken
from backend.booking.releases import draws
from backend.booking.services.releasing import CLOSED, DRAW, locked_release, seed_of, wake_drawing
from backend.booking.services.tending import give_ranks
from backend.kernel import clock
from backend.kernel.problems import InvalidInput
from backend.store import lean
from backend.store.unit import Actor, Unit

_UNSEEN: Final = "\u034f\u115f\u1160\u17b4\u17b5\u2800"
_STILL_OPEN: Final = "SELECT id FROM booking_slot WHERE id = ANY(%s) AND closed_at IS NULL AND starts_at > %s"


def propose_value(u: Unit, release_id: str, value: str, by: Actor) -> None:
    """Write the public value down, once its source has stated it; another must say the same.

    Raises ReleaseUnknown, ReleaseNotReady, InvalidInput (nothing to be seen).
    """
    row = _to_be_drawn(u, release_id)
    if row.public_value_at is not None and clock.now() < row.public_value_at:
        raise ReleaseNotReady(f"公开数值{spoken(row.public_value_at)}才确定，请到时再填写。")
    row.proposed_value, row.proposed_by = _tidy(value), by.id
    facts = {"value": row.proposed_value}
    u.note(row.id, row.id, "value_proposed", by=by, says="填写了公开数值，待另一人确认", facts=facts)


def confirm_value(u: Unit, release_id: str, value: str, by: Actor) -> None:
    """Say the same as a colleague did: from here on nothing can be changed.

    Raises ReleaseUnknown, ReleaseNotReady, InvalidInput, PublicValueMissing, SameHands, ValuesDiffer.
    """
    row = _to_be_drawn(u, release_id)
    if row.proposed_value is None:
        raise PublicValueMissing
    if row.proposed_by == by.id:
        raise SameHands
    if row.proposed_value != _tidy(value):
        raise ValuesDiffer
    row.public_value = row.proposed_value
    u.note(row.id, row.id, "value_confirmed", by=by, says="公开数值已确认", facts={"value": row.public_value})


def draw(u: Unit, release_id: str, by: Actor) -> None:
    """Reveal the seed and publish the order; a chore hands the places out. Drawn again, nothing changes.

    Raises ReleaseUnknown, ReleaseNotReady, PublicValueMissing.
    """
    row = locked_release(u, release_id)
    if row.revealed_seed is None:
        _require_closed(row)
        if row.public_value is None:
            raise PublicValueMissing
        _reveal(u, row, row.public_value, by)
    u.after_commit(wake_drawing)


def _reveal(u: Unit, row: ReleaseRow, value: str, by: Actor) -> None:
    record: dict[str, Any] = row.record or {}
    frozen, seed = record["frozen"], seed_of(row)
    order = draws.order_of(seed, value, row.id, [entry["id"] for entry in frozen["entries"]])
    slots = [slot["id"] for slot in frozen["slots"]]
    still = {one for (one,) in lean.execute(u.session, _STILL_OPEN, (slots, clock.now()))}
    closed = [one for one in slots if one not in still]
    row.revealed_seed = seed.hex()
    row.record = draws.signed(
        {**record, "seed": row.revealed_seed, "public_value": value, "closed": closed, "order": order}
    )
    give_ranks(u, order)
    facts = {"seed": row.revealed_seed, "value": value, "closed": closed}
    u.note(row.id, row.id, "seed_revealed", by=by, says="种子已公开，摇号结果已定", facts=facts)


def _to_be_drawn(u: Unit, release_id: str) -> ReleaseRow:
    row = locked_release(u, release_id)
    _require_closed(row)
    if row.public_value is not None:
        raise ReleaseNotReady("公开数值已经确认，不能再改。")
    return row


def _require_closed(row: ReleaseRow) -> None:
    if row.mode != DRAW:
        raise ReleaseNotReady("这次放号按顺序进行，不需要摇号。")
    if row.state != CLOSED:
        raise ReleaseNotReady("报名截止之后才能进行这一步。")


def _tidy(value: str) -> str:
    """One spelling: full-width digits and the like are the same value.

    Raises InvalidInput when nothing is to be seen.
    """
    seen = (one for one in unicodedata.normalize("NFKC", value) if not _is_unseen(one))
    tidied = "".join(seen).strip()
    if not tidied:
        raise InvalidInput(errors=[{"field": "value", "message": "请填写公开数值，不能为空白"}])
    return tidied


def _is_unseen(one: str) -> bool:
    """Of no width, or drawn as nothing: format characters, fillers, variation selectors."""
    return unicodedata.category(one) == "Cf" or one in _UNSEEN or "\ufe00" <= one <= "\ufe0f"
