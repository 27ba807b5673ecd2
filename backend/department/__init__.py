"""The departments' window: clerks and departments' own systems, one file per desk."""

from backend.department import (
    bills,
    bookings,
    cases,
    hall,
    parcels,
    planning,
    releases,
    sessions,
    staff,
    standing,
    uploads,
)
from backend.department.api import dept
from backend.department.screen import SCREEN as SCREEN

for _desk in (sessions, staff, cases, uploads, bookings, standing, hall, planning, releases, bills, parcels):
    _desk.register(dept)

SURFACE = dept
