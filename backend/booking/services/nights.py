"""Nobody is woken for an offer of half an hour: at night places are kept for the morning."""

from datetime import datetime, timedelta
from typing import Final

from backend.kernel import clock

NIGHT_FROM, NIGHT_UNTIL = 22, 8
"""Hours in Shanghai between which nobody is offered anything."""
_DAY: Final = timedelta(days=1)


def first_offer() -> datetime:
    """Now, or the morning when it is night in Shanghai."""
    now = clock.now()
    local = clock.local(now)
    if NIGHT_UNTIL <= local.hour < NIGHT_FROM:
        return now
    day = local.date() + _DAY * (local.hour >= NIGHT_FROM)
    return clock.at_local(day, NIGHT_UNTIL)
