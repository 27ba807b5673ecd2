"""Which columns of the register are sealed, and under which blind index each is found again.

Registering here is what lets the rotation command seal and index them anew; one sealed elsewhere would be missed.
"""

from backend.store import rotation, vault


def _sealed(table: str, column: str) -> str:
    return rotation.sealed(table, column, place=f"{table}.{column}").place


def _found(table: str, column: str, blind_column: str) -> str:
    """A sealed column that is looked for by its exact text."""
    sealed = rotation.sealed(table, column, place=f"{table}.{column}")
    rotation.blind(table, blind_column, of=sealed, place=sealed.place)
    return sealed.place


PERSON_NAME = _found("people_person", "name", "name_blind")
PERSON_NUMBER = _found("people_person", "id_no", "number_blind")
PERSON_PHONE = _found("people_person", "phone", "phone_blind")
PERSON_TAIL = _found("people_person", "tail", "tail_blind")
CHANNEL = _found("people_channel", "outside_id", "outside_blind")
ADDRESS_NAME = _sealed("people_address", "name")
ADDRESS_PHONE = _sealed("people_address", "phone")
ADDRESS_PLACE = _sealed("people_address", "place")
STAFF_NAME = _sealed("people_staff", "name")
STAFF_TOTP = _sealed("people_staff", "totp_secret")
RIDER_NAME = _sealed("people_rider", "name")
RIDER_PHONE = _found("people_rider", "phone", "phone_blind")
SYSTEM_SECRET = _sealed("people_system_key", "secret")

# Blind only: rows that are gone before a change of keys is over.
CODE_PHONE = "people_code.phone"
TALLY = "people_tally.subject"

ID_TAIL_LENGTH = 4


def outside_text(channel: str, outside_id: str) -> str:
    """What is sealed of a way in: the same id on two platforms is two people."""
    return f"{channel}:{outside_id}"


def tail_text(surname: str, id_no: str) -> str:
    """What the surname-and-tail index covers."""
    return surname + id_no[-ID_TAIL_LENGTH:]


def opened(place: str, row_id: str, sealed: bytes | None) -> str:
    """The plain value, or an empty text where nothing was ever written."""
    return vault.open_sealed(place, row_id, sealed) if sealed is not None else ""
