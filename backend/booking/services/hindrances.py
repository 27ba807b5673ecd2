"""What keeps a person from booking an item at all: appointments missed too often, or a live one."""

from datetime import datetime
from typing import Final

from sqlalchemy import select

from backend.booking.machine import LIVE
from backend.booking.models import BookingRow
from backend.booking.problems import AlreadyBooked, BookingSuspended
from backend.kernel import clock
from backend.store import lean
from backend.store.unit import Unit

BLOCK: Final = """
    SELECT id, until FROM booking_block WHERE person_id = %(person)s AND item_id = %(item)s
        AND until > %(now)s AND state IN ('active', 'appealed', 'upheld') ORDER BY until DESC LIMIT 1
"""
_ONE_LIVE: Final = {
    "held": "您有一个待确认的预约，请先确认或取消。",
    "confirmed": "您已有预约，要换时间可在原预约上改期。",
}


def require_no_block(u: Unit, person_id: str, item_id: str) -> None:
    """Raises BookingSuspended while the person may not book the item."""
    asked = {"person": person_id, "item": item_id, "now": clock.now()}
    if (block := lean.execute(u.session, BLOCK, asked).fetchone()) is not None:
        raise suspended(*block)


def require_unbooked(u: Unit, person_id: str, item_id: str, subject: str) -> None:
    """Raises AlreadyBooked while the person has a live booking of the item and subject."""
    live = select(BookingRow.id, BookingRow.state).where(
        BookingRow.person_id == person_id,
        BookingRow.item_id == item_id,
        BookingRow.subject == subject,
        BookingRow.state.in_(LIVE),
    )
    if (found := u.session.execute(live).first()) is not None:
        raise already_booked(*found)


def suspended(block_id: str, until: datetime) -> BookingSuspended:
    """The refusal that a block is: until when, and what to appeal against."""
    day = clock.local(until)
    return BookingSuspended(f"暂停到{day:%Y年%m月%d日}。", block_id=block_id, until=until.isoformat())


def already_booked(booking_id: str, state: str) -> AlreadyBooked:
    """The refusal that a live booking is: which, and what to do with it."""
    says = _ONE_LIVE.get(state, "您已到现场签到，请先办完这次预约。")
    return AlreadyBooked(says, booking_id=booking_id, state=state)
