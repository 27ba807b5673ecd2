"""The departments' window: clerks and departments' own systems, one file per desk."""

from backend.department import bills, bookings, cases, parcels, sessions, staff, uploads
from backend.department.api import dept

for _desk in (sessions, staff, cases, uploads, bookings, bills, parcels):
    _desk.register(dept)

SURFACE = dept
