"""The address book: sealed, at most twenty, one of them the usual one."""

from dataclasses import dataclass

import orjson

from backend.kernel import clock, identifiers, ids, privacy
from backend.kernel.problems import FieldError, InvalidInput
from backend.people import sealing
from backend.people.models import Address
from backend.people.problems import AddressBookFull, AddressNotFound
from backend.people.views import AddressDetail, AddressView
from backend.store import vault
from backend.store.unit import Unit

MOST = 20


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """An address as somebody writes it."""

    name: str
    phone: str
    region_code: str
    province: str
    city: str
    district: str
    street: str
    detail: str
    is_default: bool = False


def add_address(u: Unit, person_id: str, written: Whereabouts) -> AddressDetail:
    """Write an address into the person's book. Raises InvalidInput, AddressBookFull."""
    kept = _kept(u, person_id)
    if len(kept) >= MOST:
        raise AddressBookFull
    row = Address(id=ids.new_id("ad"), person_id=person_id, created_at=clock.now(), removed_at=None)
    _write(row, written, usual=written.is_default or not kept, others=kept)
    u.add(row)
    return _detail(row)


def change_address(u: Unit, person_id: str, address_id: str, written: Whereabouts) -> AddressDetail:
    """Write an address anew. Raises InvalidInput, AddressNotFound (also for somebody else's)."""
    row = _own(u, person_id, address_id)
    others = [other for other in _kept(u, person_id) if other is not row]
    _write(row, written, usual=written.is_default or row.is_default, others=others)
    return _detail(row)


def remove_address(u: Unit, person_id: str, address_id: str) -> None:
    """Take an address out of the book; matters that name it can still read it. Raises AddressNotFound."""
    row = _own(u, person_id, address_id)
    row.removed_at, row.is_default = clock.now(), False


def addresses_of(u: Unit, person_id: str) -> list[AddressView]:
    """The book, masked: the usual one first, then the newest."""
    return [_view(row) for row in _kept(u, person_id)]


def own_address(u: Unit, person_id: str, address_id: str) -> AddressDetail:
    """One's own address in plain words, to write it anew. Raises AddressNotFound."""
    return _detail(_own(u, person_id, address_id))


def address_of(u: Unit, person_id: str, address_id: str) -> AddressDetail:
    """Where to go, in plain words, for carriers, even if taken out of the book since. Raises AddressNotFound."""
    row = u.get(Address, address_id)
    if row is None or row.person_id != person_id:
        raise AddressNotFound
    return _detail(row)


def masked_address(u: Unit, address_id: str) -> AddressView:
    """Where roughly, for windows. Raises AddressNotFound."""
    return _view(any_address(u, address_id))


def any_address(u: Unit, address_id: str) -> Address:
    """The row, whoever's it is: for this house only."""
    if (row := u.get(Address, address_id)) is None:
        raise AddressNotFound
    return row


def detail_of(row: Address) -> AddressDetail:
    return _detail(row)


def _kept(u: Unit, person_id: str) -> list[Address]:
    rows = u.session.query(Address).filter(Address.person_id == person_id, Address.removed_at.is_(None))
    return rows.order_by(Address.is_default.desc(), Address.created_at.desc()).all()


def _own(u: Unit, person_id: str, address_id: str) -> Address:
    row = u.get(Address, address_id, lock=True)
    if row is None or row.person_id != person_id or row.removed_at is not None:
        raise AddressNotFound
    return row


def _write(row: Address, written: Whereabouts, *, usual: bool, others: list[Address]) -> None:
    name, phone = identifiers.tidy_person_name(written.name), identifiers.tidy_mobile(written.phone)
    _require_right(name, phone)
    place = {part: getattr(written, part) for part in ("province", "city", "district", "street", "detail")}
    row.name = vault.seal(sealing.ADDRESS_NAME, row.id, name)
    row.phone = vault.seal(sealing.ADDRESS_PHONE, row.id, phone)
    row.place = vault.seal(sealing.ADDRESS_PLACE, row.id, orjson.dumps(place).decode())
    row.region_code, row.changed_at, row.is_default = written.region_code, clock.now(), usual
    for other in others if usual else ():
        other.is_default = False


def _require_right(name: str, phone: str) -> None:
    errors = []
    if (reason := identifiers.person_name_problem(name)) is not None:
        errors.append(FieldError(field="name", message=reason))
    if not identifiers.is_mobile(phone):
        errors.append(FieldError(field="phone", message="手机号应为 11 位数字，请核对。"))
    if errors:
        raise InvalidInput(errors=errors)


def _detail(row: Address) -> AddressDetail:
    place = orjson.loads(vault.open_sealed(sealing.ADDRESS_PLACE, row.id, row.place))
    return AddressDetail(
        id=row.id, person_id=row.person_id, name=vault.open_sealed(sealing.ADDRESS_NAME, row.id, row.name),
        phone=vault.open_sealed(sealing.ADDRESS_PHONE, row.id, row.phone), region_code=row.region_code,
        is_default=row.is_default, **place,
    )  # fmt: skip


def _view(row: Address) -> AddressView:
    plain = _detail(row)
    return AddressView(
        row.id, privacy.mask_name(plain.name), privacy.mask_phone(plain.phone), row.region_code,
        privacy.mask_address(plain.place), row.is_default,
    )  # fmt: skip
