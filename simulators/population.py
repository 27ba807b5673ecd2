"""A small generated population. No such people exist: division code 341699 was never assigned to any county.

Names are the heavenly stems and earthly branches after 测试; ID numbers have right check digits, phones are made up.
"""

import hashlib
import secrets
from datetime import date, timedelta

from simulators.books import Doc, Page

SHELF = "identity.person"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_NOWHERE = "341699"
_FIRST = (
    ("甲", date(1988, 3, 14)),
    ("乙", date(1991, 11, 2)),
    ("丙", date(1975, 6, 30)),
    ("丁", date(1999, 1, 19)),
    ("戊", date(1952, 8, 8)),
    ("己", date(1968, 12, 25)),
    ("庚", date(2004, 4, 5)),
    ("辛", date(1983, 9, 17)),
    ("壬", date(1996, 2, 29)),
    ("癸", date(1947, 10, 1)),
    ("子", date(2014, 5, 20)),
    ("丑", date(1979, 7, 7)),
)


class MalformedPerson(ValueError):
    """A person needs a name, and a right ID number if one is given."""


def settle_first_people(page: Page) -> None:
    """Write the first inhabitants into empty books."""
    if page.all(SHELF):
        return
    for number, (stem, born) in enumerate(_FIRST, start=1):
        _register(page, f"测试{stem}", id_no_of(born, number), f"139{number:08d}")


def settle_person(page: Page, wish: Doc) -> Doc:
    """Add a person; what is not given is generated. Raises MalformedPerson."""
    name = wish.get("name") or f"测试{secrets.choice('金木水火土')}{secrets.choice('东南西北中')}"
    id_no = str(wish.get("id_no") or _fresh_id_no()).upper()
    if not isinstance(name, str) or not is_id_no(id_no):
        raise MalformedPerson("name must be text, id_no an 18-character number with a right check digit")
    return _register(page, name, id_no, str(wish.get("phone") or fresh_phone()))


def person_with(page: Page, phone: str) -> Doc | None:
    """The inhabitant who owns this phone."""
    people = page.all(SHELF, phone)
    return people[0] if people else None


def fresh_phone() -> str:
    """A made-up mobile number."""
    return f"139{secrets.randbelow(90_000_000) + 10_000_000}"


def is_id_no(text: str) -> bool:
    """18 characters whose check character fits (GB 11643-1999)."""
    return len(text) == 18 and text[:17].isdecimal() and _check_of(text[:17]) == text[17]


def id_no_of(born: date, order: int) -> str:
    """A number that belongs to nobody, of somebody born on this day."""
    body = f"{_NOWHERE}{born:%Y%m%d}{order:03d}"
    return body + _check_of(body)


def account_id(kind: str, phone: str) -> str:
    """A stable random-looking id of the account that belongs to a phone, 28 characters."""
    return hashlib.sha256(f"{kind}|{phone}".encode()).hexdigest()[:28]


def _fresh_id_no() -> str:
    born = date(1950, 1, 1) + timedelta(days=secrets.randbelow(20_000))
    return id_no_of(born, secrets.randbelow(999) + 1)


def _check_of(body: str) -> str:
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return "10X98765432"[total % 11]


def _register(page: Page, name: str, id_no: str, phone: str) -> Doc:
    person = {"name": name, "id_no": id_no, "phone": phone}
    page.put(SHELF, id_no, person, topic=phone)
    return person
