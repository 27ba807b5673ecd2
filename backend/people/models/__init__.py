"""Nouns of the register. Rows stay in this house; doors hand out views."""

from backend.people.models.citizens import Address, Channel, Consent, Party, Person, Representation
from backend.people.models.records import AccessLook, Code, PhoneAnswer, Tally
from backend.people.models.sessions import RefreshToken, SessionRow
from backend.people.models.staff import Nonce, PasswordRow, Rider, Staff, StaffRole, System, SystemKey

__all__ = [
    "AccessLook",
    "Address",
    "Channel",
    "Code",
    "Consent",
    "Nonce",
    "Party",
    "PasswordRow",
    "Person",
    "PhoneAnswer",
    "RefreshToken",
    "Representation",
    "Rider",
    "SessionRow",
    "Staff",
    "StaffRole",
    "System",
    "SystemKey",
    "Tally",
]
