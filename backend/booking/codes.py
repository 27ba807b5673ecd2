"""Codes for check-in: shown on the phone, changing every few minutes, so that a photograph of one is worth little.

A code is derived, not stored. Real time counts, since a phone shows it now and a window reads it now.
"""

from datetime import UTC, datetime
from typing import Final

from backend.kernel import clock
from backend.store import vault

STEP_S: Final = 300
_DIGITS: Final = 6


def code_of(booking_id: str) -> str:
    """The six digits of a booking now."""
    return _code(booking_id, _step())


def text_of(number: str, code: str) -> str:
    """What the QR code on the phone says, and the machine at the door reads: ZB:<number>:<digits>."""
    return f"ZB:{number}:{code}"


def changes_at() -> datetime:
    """When the digits change; they are taken for as long again, so a phone that is slow is no worse off."""
    return datetime.fromtimestamp((_step() + 1) * STEP_S, UTC)


def is_code_of(booking_id: str, code: str) -> bool:
    """Whether these are the digits of the booking, now or in the step before (slow phones, slow fingers)."""
    return code in (_code(booking_id, _step()), _code(booking_id, _step() - 1))


def _step() -> int:
    return int(clock.wire_seconds() // STEP_S)


def _code(booking_id: str, step: int) -> str:
    digest = vault.keyed_digest("booking.check_in", f"{booking_id}|{step}")
    return str(int.from_bytes(digest[:8]) % 10**_DIGITS).zfill(_DIGITS)
