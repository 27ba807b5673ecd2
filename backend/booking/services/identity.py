"""Places cannot be traded: a window compares the ID card with the booking, and only then is somebody served."""

from typing import Final

from backend.booking.hall.problems import IdentityUnchecked
from backend.booking.models import BookingRow
from backend.kernel import clock

AT_CHECK_IN: Final = "at_check_in"
AT_WINDOW: Final = "at_window"
NOT_RECORDED: Final = "not_recorded"


def card_seen(row: BookingRow) -> None:
    """The card lay on the desk and belongs to the booking; the row is locked."""
    row.identity_checked_at = row.identity_checked_at or clock.now()


def checked_now(row: BookingRow, *, said: bool) -> str:
    """When the identity was checked, for the journal; `said`: the clerk says so now. Raises IdentityUnchecked."""
    if row.identity_checked_at is not None:
        return AT_CHECK_IN
    if not said:
        raise IdentityUnchecked
    card_seen(row)
    return AT_WINDOW


def checked_at_all(row: BookingRow) -> str:
    """The same where nobody can be asked any more."""
    return AT_CHECK_IN if row.identity_checked_at is not None else NOT_RECORDED
