"""The departments' window: clerks and departments' own systems, one file per desk."""

from backend.department import (
    bank_credits,
    bills,
    bookings,
    cases,
    hall,
    money,
    parcels,
    payees,
    pending,
    planning,
    previews,
    receipts,
    reconciling,
    refunds,
    releases,
    sessions,
    sites,
    staff,
    standing,
    treasury,
    uploads,
    urgent,
)
from backend.department.api import dept
from backend.department.screen import SCREEN as SCREEN

for _desk in (
    sessions, staff, cases, uploads, bookings, urgent, pending, standing, hall, sites, planning, previews, releases,
    bills, money, refunds, treasury, payees, parcels, receipts, reconciling,
    bank_credits,
):  # fmt: skip
    _desk.register(dept)

SURFACE = dept
