"""Private columns at rest: sealed with AES-256-GCM, found again by keyed blind indexes.

Envelope keys: values are sealed with data keys that live wrapped in the database; the master key that wraps
them comes from the keys file and never touches a row. Associated data is table|column|row, so a sealed value
moved to another row does not open. The index key is a separate one; while it is being changed both are read.
"""

import hashlib
import hmac
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from backend.kernel import clock
from backend.store import engine, lean
from backend.store.base import AwareDateTime, Base

_VERSION = b"\x01"
_NONCE = 12
_SHORTEST = 3 + _NONCE + 16


class WrongKey(RuntimeError):
    """The keys file is not the one this database was sealed with."""


class DataKey(Base):
    """A data key, wrapped by the master key whose fingerprint stands beside it."""

    __tablename__ = "store_data_key"
    __retention__ = "as long as a value sealed with it exists"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    master: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(AwareDateTime())


class KeyPrint(Base):
    """Fingerprints of the keys in use: a wrong key is noticed at boot, not at the first unreadable name."""

    __tablename__ = "store_key_print"
    __retention__ = "for ever"

    purpose: Mapped[str] = mapped_column(String(20), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(32))


@dataclass(frozen=True, slots=True)
class Masters:
    """Keys from outside: 32 bytes each. `previous_*` are read but never written with."""

    master: bytes
    index: bytes
    journal: bytes
    previous_master: bytes | None = None
    previous_index: bytes | None = None


@dataclass(slots=True)
class _Vault:
    masters: Masters | None = None
    ciphers: dict[int, AESGCM] = field(default_factory=dict)
    current: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_vault = _Vault()


def fingerprint(key: bytes) -> str:
    """Short public name of a key; tells keys apart and gives nothing away."""
    return hmac.new(key, b"zhangban key fingerprint", hashlib.sha256).hexdigest()[:32]


def use_masters(masters: Masters) -> None:
    """Hold the outside keys; data keys are read at the first `unlock`."""
    _vault.masters, _vault.ciphers, _vault.current = masters, {}, 0


def masters() -> Masters:
    if _vault.masters is None:
        raise RuntimeError("the vault has no keys: call vault.use_masters at start")
    return _vault.masters


def unlock(session: Session) -> None:
    """Read and unwrap the data keys; make the first one in an empty database. Raises WrongKey."""
    if session.query(KeyPrint).first() is None:
        # Two processes may open an empty town at once: the second waits and finds what the first made.
        lean.execute(session, "LOCK TABLE store_key_print IN EXCLUSIVE MODE")
    _check_print(session, "index", masters().index, masters().previous_index)
    _check_print(session, "journal", masters().journal, None)
    keys = session.query(DataKey).order_by(DataKey.id).all()
    if not keys:
        keys = [_add_data_key(session, 1)]
    _vault.ciphers = {key.id: AESGCM(_unwrap(key)) for key in keys}
    _vault.current = max(_vault.ciphers)


def add_data_key(session: Session) -> int:
    """Begin sealing with a fresh data key; older ones go on opening. Returns its id."""
    lean.execute(session, "LOCK TABLE store_data_key IN EXCLUSIVE MODE")
    newest = session.query(DataKey).order_by(DataKey.id.desc()).first()
    key = _add_data_key(session, (newest.id if newest else 0) + 1)
    session.flush()
    return key.id


def rewrap(session: Session) -> int:
    """Wrap every data key with the present master key; returns how many were still under the former one."""
    present, changed = masters().master, 0
    for key in session.query(DataKey).with_for_update():
        if key.master != fingerprint(present):
            key.wrapped = _wrap(key.id, _unwrap(key))
            key.master = fingerprint(present)
            changed += 1
    session.flush()
    return changed


def seal(place: str, row_id: str, text: str) -> bytes:
    """Seal `text` for one cell. `place` is "table.column"."""
    return seal_bytes(place, row_id, text.encode())


def seal_bytes(place: str, row_id: str, data: bytes) -> bytes:
    """Layout: version(1) key id(2) nonce(12) ciphertext+tag."""
    key_id, cipher = _current()
    nonce = os.urandom(_NONCE)
    head = _VERSION + key_id.to_bytes(2, "big")
    return head + nonce + cipher.encrypt(nonce, data, _aad(place, row_id))


def open_sealed(place: str, row_id: str, sealed: bytes) -> str:
    return open_sealed_bytes(place, row_id, sealed).decode()


def open_sealed_bytes(place: str, row_id: str, sealed: bytes) -> bytes:
    """Raises WrongKey when the value was moved, altered, or sealed with a key that is not ours."""
    if sealed[:1] != _VERSION or len(sealed) < _SHORTEST:
        raise WrongKey(f"a value of {place} is not sealed by this vault")
    cipher = _cipher(key_id_of(sealed))
    nonce, body = sealed[3 : 3 + _NONCE], sealed[3 + _NONCE :]
    try:
        return cipher.decrypt(nonce, body, _aad(place, row_id))
    except InvalidTag as error:
        raise WrongKey(f"a value of {place} does not open") from error


def key_id_of(sealed: bytes) -> int:
    return int.from_bytes(sealed[1:3], "big")


def current_key_id() -> int:
    return _current()[0]


def blind(place: str, text: str) -> bytes:
    """Index value for an exact match on a sealed column, under the present index key (32 bytes)."""
    return _blind(masters().index, place, text)


def blinds(place: str, text: str) -> list[bytes]:
    """All index values a row may carry now: for `column.in_(...)` while the index key is being changed."""
    previous = masters().previous_index
    return [_blind(key, place, text) for key in (masters().index, previous) if key is not None]


def journal_digest(payload: bytes) -> bytes:
    return hmac.new(masters().journal, payload, hashlib.sha256).digest()


def keyed_digest(purpose: str, text: str) -> bytes:
    """Digest for secrets that are compared but never shown again: codes, refresh tokens."""
    return _blind(masters().index, "digest." + purpose, text)


def _blind(key: bytes, place: str, text: str) -> bytes:
    return hmac.new(key, f"{place}|{text}".encode(), hashlib.sha256).digest()


def _aad(place: str, row_id: str) -> bytes:
    return f"{place.replace('.', '|', 1)}|{row_id}".encode()


def _current() -> tuple[int, AESGCM]:
    if not _vault.current:
        _reload()
    return _vault.current, _vault.ciphers[_vault.current]


def _cipher(key_id: int) -> AESGCM:
    if key_id not in _vault.ciphers:
        _reload()
    cipher = _vault.ciphers.get(key_id)
    if cipher is None:
        raise WrongKey(f"data key {key_id} is not in this database")
    return cipher


def _reload() -> None:
    """Another process may have added a key: look again, in a transaction of our own."""
    with _vault.lock, engine.aside() as session:
        unlock(session)
        session.commit()


def _check_print(session: Session, purpose: str, key: bytes, previous: bytes | None) -> None:
    row = session.get(KeyPrint, purpose)
    if row is None:
        session.add(KeyPrint(purpose=purpose, fingerprint=fingerprint(key)))
        session.flush()
    elif row.fingerprint != fingerprint(key) and (
        previous is None or row.fingerprint != fingerprint(previous)
    ):
        raise WrongKey(f"the {purpose} key is not the one this database was made with")


def _add_data_key(session: Session, key_id: int) -> DataKey:
    key = DataKey(
        id=key_id,
        wrapped=_wrap(key_id, AESGCM.generate_key(256)),
        master=fingerprint(masters().master),
        created_at=clock.now(),
    )
    session.add(key)
    session.flush()
    return key


def _wrap(key_id: int, data_key: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(masters().master).encrypt(nonce, data_key, f"store_data_key|{key_id}".encode())


def _unwrap(key: DataKey) -> bytes:
    for master in _candidates():
        if fingerprint(master) == key.master:
            wrapped = key.wrapped
            return AESGCM(master).decrypt(
                wrapped[:_NONCE], wrapped[_NONCE:], f"store_data_key|{key.id}".encode()
            )
    raise WrongKey("the master key is not the one this database was sealed with")


def _candidates() -> Iterable[bytes]:
    yield masters().master
    if (previous := masters().previous_master) is not None:
        yield previous
