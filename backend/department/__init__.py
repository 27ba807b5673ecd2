"""The departments' window: clerks and departments' own systems, one file per desk."""

from backend.department import (
    bills,
    bookings,
    cases,
    hall,
    parcels,
    pending,
    planning,
    previews,
    releases,
    sessions,
    sites,
    staff,
    standing,
    uploads,
    urgent,
)
from backend.department.api import dept
from backend.department.screen import SCREEN as SCREEN

for _desk in (
    sessions, staff, cases, uploads, bookings, urgent, pending, standing, hall, sites, planning, previews, releases,
    bills, parcels,
):  # fmt: skip
    _desk.register(dept)

SURFACE = dept
