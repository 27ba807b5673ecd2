"""The citizens' window: one file per story, each puts its endpoints on the surface."""

from miniprogram_api import (
    bills,
    bookings,
    cases,
    catalogue,
    hall,
    me,
    messages,
    parcels,
    payments,
    places,
    progress,
    releases,
    sessions,
    standing,
    uploads,
    waiting,
)
from miniprogram_api.api import mp

for _story in (
    sessions,
    me,
    catalogue,
    uploads,
    cases,
    progress,
    places,
    bookings,
    waiting,
    releases,
    standing,
    hall,
    payments,
    bills,
    parcels,
    messages,
):
    _story.register(mp)

SURFACE = mp
