"""The citizens' window: one file per story, each puts its endpoints on the surface."""

from miniprogram_api import (
    bills,
    bookings,
    cases,
    catalogue,
    me,
    messages,
    parcels,
    payments,
    progress,
    sessions,
    uploads,
)
from miniprogram_api.api import mp

for _story in (
    sessions,
    me,
    catalogue,
    uploads,
    cases,
    progress,
    bookings,
    payments,
    bills,
    parcels,
    messages,
):
    _story.register(mp)

SURFACE = mp
