"""Appointments missed, what follows from them, and appeals: somebody who does not come takes a place from others.

Who came but left before the end has not missed anything here; what was closed by the site never counts.
"""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select

from backend import people
from backend.booking.machine import BLOCK, CONFIRMED
from backend.booking.models import APPEAL, BlockRow, BookingRow, SiteRow, SlotRow
from backend.booking.problems import AppealTooLate
from backend.booking.questions import site_view
from backend.booking.questions_waiting import block_view
from backend.booking.rules import Rules, months_after, months_before
from backend.booking.services.company import along_with
from backend.booking.services.keeping import mark_missed, release
from backend.booking.services.looking import SlotSeen, hold_still, look
from backend.booking.views import Site
from backend.booking.views_waiting import BlockView
from backend.contracts import BlockDecided, BookingBlocked
from backend.kernel import clock, ids
from backend.kernel.problems import NotYours
from backend.store import lean, vault
from backend.store.unit import CLOCK, Actor, Unit, run_unit

BATCH: Final = 100
_MISSED: Final = f"""
    SELECT b.id FROM booking_booking b JOIN booking_slot s ON s.id = b.slot_id
    WHERE b.id IN (SELECT id FROM booking_booking WHERE person_id = %(person)s UNION ALL
            SELECT booking_id FROM booking_companion WHERE number_blind = {people.folded.NUMBER})
        AND b.item_id = %(item)s AND b.state = 'missed' AND b.day > %(since)s AND s.closed_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM booking_block k
            WHERE k.person_id = %(person)s AND k.state = 'lifted' AND k.counted @> to_jsonb(b.id::text))
    ORDER BY b.day, b.id
"""
"""Nobody came: neither the person nor, where they were to come along, whoever booked for them."""
_STANDING: Final = ("active", "appealed", "upheld")


def note_all_missed() -> int:
    """Note every appointment of past days that nobody came to; how many there were [own units]."""
    done, after = 0, ""
    while found := run_unit(lambda u, last=after: _overdue(u, last)):  # type: ignore[misc]
        done += sum(_noted(*one) for one in found)
        after = found[-1][0]
    return done


def note_missed(u: Unit, booking_id: str, slot_id: str, person_id: str) -> bool:
    """Note that nobody came, and block whoever that was once too often for; whether it was still to be noted.

    Who was to come along has missed as well. All of them are locked first: two appointments missed on one day are
    counted one after the other. One that is being moved is left until that is settled; one that the site closed is
    cancelled, and nobody's fault, also when the site took the closing back.
    """
    if along := along_with(u, booking_id):
        hold_still(u, [person_id, *along])
    seen = look(u, slot_id, person_id)
    query = select(BookingRow).where(BookingRow.id == booking_id).with_for_update(skip_locked=True)
    row = u.session.scalar(query)
    if row is None or row.state != CONFIRMED or row.slot_id != slot_id or row.moving_to is not None:
        return False
    if seen.closed_at is not None or row.displaced_from == slot_id:
        release(u, row, "cancelled", CLOCK)
        return True
    mark_missed(u, row)
    u.flush()
    for one in (person_id, *along):
        _block_if_due(u, one, row, seen)
    return True


def appeal_block(u: Unit, block_id: str, person_id: str, text: str, by: Actor) -> BlockView:
    """Say why one could not come; once per block. Raises NotYours, AppealTooLate, ImpossibleMove."""
    block = _locked(u, block_id)
    if block.person_id != person_id:
        raise NotYours
    u.step(BLOCK, block, "appealed", by=by)
    if block.until <= clock.now():
        raise AppealTooLate
    block.appeal = vault.seal(APPEAL.place, block.id, text)
    block.appealed_at = clock.now()
    return block_view(u, block)


def decide_block(u: Unit, block_id: str, by: Actor, *, lift: bool, why: str) -> BlockView:
    """Answer an appeal; lifted, the person may book at once. Raises NotYours, ImpossibleMove."""
    block = _locked(u, block_id)
    u.step(BLOCK, block, "lifted" if lift else "upheld", by=by)
    u.record(BlockDecided(block.id, block.person_id, lift))
    block.decided_at, block.decided_why = clock.now(), why
    return block_view(u, block)


def site_of_block(u: Unit, block_id: str) -> Site:
    """The site whose department answers an appeal. Raises NotYours."""
    block = u.get(BlockRow, block_id)
    if block is None:
        raise NotYours
    return site_view(u.session.get_one(SiteRow, block.site_id))


def _block_if_due(u: Unit, person_id: str, cause: BookingRow, seen: SlotSeen) -> None:
    rules = seen.rules
    since = months_before(_midnight(cause.day), rules.block_months).date()
    asked = {"person": person_id, "item": cause.item_id, "since": since}
    found = lean.execute(u.session, _MISSED, asked).fetchall()
    until = blocked_until(cause.day, rules)
    if len(found) < rules.missed or until <= clock.now() or _is_blocked_until(u, person_id, cause, until):
        return
    block = BlockRow(
        id=ids.new_id("bl"), person_id=person_id, item_id=cause.item_id, site_id=seen.site.id,
        cause_id=cause.id, counted=[booking_id for (booking_id,) in found], state=BLOCK.start, until=until,
    )  # fmt: skip
    u.step(BLOCK, block, "begun", by=CLOCK, facts={"missed": len(found), "cause": cause.id}, fresh=True)
    u.record(BookingBlocked(block.id, block.person_id))
    u.add(block)


def blocked_until(missed_on: date, rules: Rules) -> datetime:
    """So many months from the day after the last appointment missed, whenever that is noted."""
    return months_after(_midnight(missed_on + timedelta(days=1)), rules.block_months)


def _is_blocked_until(u: Unit, person_id: str, cause: BookingRow, until: datetime) -> bool:
    """Whether another block lasts as long: several appointments of one day are one reason."""
    query = select(BlockRow.id).where(
        BlockRow.person_id == person_id,
        BlockRow.item_id == cause.item_id,
        BlockRow.state.in_(_STANDING),
        BlockRow.until >= until,
    )
    return u.session.scalars(query).first() is not None


def _midnight(day: date) -> datetime:
    """Where the day begins, in the time of Shanghai: months are counted by its calendar."""
    return clock.local(clock.start_of_day(day))


def _overdue(u: Unit, after: str) -> list[tuple[str, str, str]]:
    query = (
        select(BookingRow.id, BookingRow.slot_id, BookingRow.person_id)
        .join(SlotRow, SlotRow.id == BookingRow.slot_id)
        .where(BookingRow.state == CONFIRMED, SlotRow.ends_at < clock.start_of_day(clock.today()))
        .where(BookingRow.id > after)
        .order_by(BookingRow.id)
        .limit(BATCH)
    )
    return [(booking_id, slot_id, person_id) for booking_id, slot_id, person_id in u.session.execute(query)]


def _noted(booking_id: str, slot_id: str, person_id: str) -> bool:
    return run_unit(lambda u: note_missed(u, booking_id, slot_id, person_id))


def _locked(u: Unit, block_id: str) -> BlockRow:
    block = u.get(BlockRow, block_id, lock=True)
    if block is None:
        raise NotYours
    return block
