"""Chores that carry releases on."""

from datetime import timedelta

from backend.booking.services.drawing import finish_draws
from backend.booking.services.releasing import DRAW_ON, TEND
from backend.booking.services.tending import tend
from backend.runtime.worker import chore


@chore(TEND, every=timedelta(seconds=10))
def tend_releases() -> int:
    """Close entries and open queues on time, and let every entry know where it stands."""
    return tend()


@chore(DRAW_ON, every=timedelta(seconds=10))
def carry_on_draws() -> int:
    """Hand out what was drawn; a draw that died half way goes on where it stopped."""
    return finish_draws()
