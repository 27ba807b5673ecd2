"""The two sides of a label: the citizen's, sealed and kept only while needed, and the department's mail room."""

import functools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from backend import catalogue, people
from backend.kernel import privacy
from backend.store import vault
from backend.store.unit import Unit
from courier.carriers.port import Contact
from courier.models import CONTACT_PLACE, ParcelRow

_ROOMS = Path(__file__).resolve().parent.parent / "data" / "mail_rooms.json"


def take_contact(u: Unit, row: ParcelRow, address_id: str) -> None:
    """Copy the person's address onto the label. Raises AddressNotFound for a foreign one."""
    found = people.address_of(u, row.person_id, address_id)
    contact = Contact(
        name=found.name,
        phone=found.phone,
        province=found.province,
        city=found.city,
        district=found.district,
        address=found.street + found.detail,
    )
    row.address_id = address_id
    write_contact(row, contact)


def write_contact(row: ParcelRow, contact: Contact) -> None:
    """Put the citizen's side on the label, sealed."""
    row.contact = vault.seal(CONTACT_PLACE, row.id, json.dumps(asdict(contact), ensure_ascii=False))


def contact_on(row: ParcelRow) -> Contact | None:
    """The citizen's side in plain text; None where there is none or it was forgotten."""
    if row.contact is None:
        return None
    return Contact(**json.loads(vault.open_sealed(CONTACT_PLACE, row.id, row.contact)))


def masked_contact(row: ParcelRow) -> str:
    """Name, phone and street as everybody but the carrier may see them."""
    contact = contact_on(row)
    if contact is None:
        return ""
    address = privacy.mask_address(contact.full_address)
    return f"{privacy.mask_name(contact.name)} {privacy.mask_phone(contact.phone)} {address}"


def office_of(u: Unit, department_id: str | None) -> Contact:
    """The mail room of a department: where originals arrive and results are fetched."""
    rooms = _rooms()
    room = rooms["default"] | rooms["departments"].get(department_id or "", {})
    owner = catalogue.department(u, department_id).name if department_id else ""
    return Contact(
        name=f"{owner}{room['name']}",
        phone=room["phone"],
        province=rooms["province"],
        city=rooms["city"],
        district=room["district"],
        address=room["address"],
    )


@functools.cache
def _rooms() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_ROOMS.read_text("utf-8"))
    return found
