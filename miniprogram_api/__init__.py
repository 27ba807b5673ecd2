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
    pay_links,
    payments,
    places,
    progress,
    receipts,
    refunds,
    releases,
    sessions,
    standing,
    uploads,
    waiting,
)
from miniprogram_api.api import mp
from miniprogram_api.receipts import RECEIPTS as RECEIPTS

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
    refunds,
    receipts,
    pay_links,
    parcels,
    messages,
):
    _story.register(mp)

SURFACE = mp
