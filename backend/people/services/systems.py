"""Departments' own systems: keys that sign each request, a window of 300 seconds, every nonce once."""

import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert

from backend.kernel import clock, ids
from backend.kernel.problems import NotFound
from backend.people import sealing, signing, wording
from backend.people.machine import SYSTEM_KEY
from backend.people.models import Nonce, System, SystemKey
from backend.people.problems import ClockSkewed, NonceReused, SignatureWrong
from backend.people.views import SystemKeyIssued
from backend.store import vault
from backend.store.unit import Actor, Unit

WINDOW_S = 300
OVERLAP = timedelta(days=7)
"""How long a replaced key still opens, so that a system can change over without a pause (real time)."""
_NONCE = re.compile(r"[!-~]{8,64}")


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request as it came over the wire."""

    key_id: str
    time: str
    nonce: str
    signature: str
    method: str
    path_and_query: str
    body: bytes


def register_system(
    u: Unit, department_id: str, region_code: str | None, name: str, *, by: Actor
) -> SystemKeyIssued:
    """Admit a department's system; the secret is shown this once."""
    system = System(
        id=ids.new_id("sy"), name=name[:60], department_id=department_id, region_code=region_code,
        created_at=clock.now(),
    )  # fmt: skip
    u.add(system)
    u.session.flush()
    return _issue(u, system.id, by)


def rotate_system_key(u: Unit, system_id: str, *, by: Actor) -> SystemKeyIssued:
    """Give a system a new key; the present one still opens for seven days. Raises NotFound."""
    if u.get(System, system_id, lock=True) is None:
        raise NotFound
    for key in u.session.query(SystemKey).filter_by(system_id=system_id, state="active").with_for_update():
        u.step(SYSTEM_KEY, key, "replaced", by=by)
        key.good_until = clock.wire_now() + OVERLAP
    return _issue(u, system_id, by)


def disable_system_key(u: Unit, key_id: str, *, by: Actor) -> None:
    """Close a key at once. Raises NotFound."""
    if (key := u.get(SystemKey, key_id, lock=True)) is None:
        raise NotFound
    u.step(SYSTEM_KEY, key, "disabled", by=by)


def recognise_system(u: Unit, signed: Signed) -> System:
    """Whose request this is. Raises ClockSkewed, SignatureWrong, NonceReused.

    The nonce is written down in this unit: the first request that brings it is the only one.
    """
    _require_in_window(signed.time)
    key = u.get(SystemKey, signed.key_id)
    if key is None or not _opens(key) or not _NONCE.fullmatch(signed.nonce) or not _holds(key, signed):
        raise SignatureWrong
    heard = insert(Nonce).values(key_id=key.id, nonce=signed.nonce, heard_at=clock.wire_now())
    if u.session.execute(heard.on_conflict_do_nothing().returning(Nonce.nonce)).first() is None:
        raise NonceReused
    system = u.get(System, key.system_id)
    assert system is not None
    return system


def _issue(u: Unit, system_id: str, by: Actor) -> SystemKeyIssued:
    key_id, secret = ids.new_id("ky"), ids.token()
    key = SystemKey(
        id=key_id, system_id=system_id, secret=vault.seal(sealing.SYSTEM_SECRET, key_id, secret),
        created_at=clock.now(), good_until=None,
    )  # fmt: skip
    u.begin(SYSTEM_KEY, key, by=by, says=wording.label("begun.system_key"))
    u.add(key)
    u.session.flush()
    return SystemKeyIssued(system_id, key_id, secret)


def _require_in_window(time: str) -> None:
    if not (time.isascii() and time.isdigit() and len(time) <= 12):
        raise SignatureWrong
    if abs(clock.wire_seconds() - int(time)) > WINDOW_S:
        raise ClockSkewed


def _opens(key: SystemKey) -> bool:
    return key.state != "disabled" and (key.good_until is None or clock.wire_now() < key.good_until)


def _holds(key: SystemKey, signed: Signed) -> bool:
    secret = vault.open_sealed(sealing.SYSTEM_SECRET, key.id, key.secret)
    right = signing.sign_request(
        secret, signed.method, signed.path_and_query, signed.time, signed.nonce, signed.body
    )
    return signing.same(right, signed.signature)
