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
from backend.people.problems import ClockSkewed, NonceReused, OutsideYourScope, SignatureWrong
from backend.people.views import SystemKeyIssued, SystemKeyView, SystemView
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


def admit_system(u: Unit, department_id: str, region_code: str | None, name: str, *, by: Actor) -> SystemView:
    """Put a department's system on the books; it has no key yet, and so opens nothing."""
    system = System(
        id=ids.new_id("sy"), name=name[:60], department_id=department_id, region_code=region_code,
        created_at=clock.now(),
    )  # fmt: skip
    u.add(system)
    u.session.flush()
    u.note(system.id, system.id, "admitted", by=by, says=wording.label("note.admitted"))
    return _view(system, [])


def issue_system_key(u: Unit, system_id: str, *, by: Actor) -> SystemKeyIssued:
    """Make a key, the first or the next; the secret is shown this once. It opens nothing until confirmed.

    Raises NotFound.
    """
    if u.get(System, system_id) is None:
        raise NotFound
    key_id, secret = ids.new_id("ky"), ids.token()
    key = SystemKey(
        id=key_id, system_id=system_id, secret=vault.seal(sealing.SYSTEM_SECRET, key_id, secret),
        issued_by=by.id, created_at=clock.now(), good_until=None,
    )  # fmt: skip
    u.begin(SYSTEM_KEY, key, by=by, says=wording.label("begun.system_key"))
    u.add(key)
    u.session.flush()
    return SystemKeyIssued(system_id, key_id, secret)


def confirm_system_key(u: Unit, key_id: str, *, by: Actor) -> SystemView:
    """Let a key open; the one it replaces still opens for seven days.

    Raises NotFound, ImpossibleMove (confirmed or disabled before), OutsideYourScope (by whoever issued it).
    """
    seen = u.get(SystemKey, key_id)
    system = u.get(System, seen.system_id, lock=True) if seen is not None else None
    key = u.get(SystemKey, key_id, lock=True)
    if system is None or key is None:
        raise NotFound
    if key.issued_by == by.id:
        raise OutsideYourScope
    replaced = u.session.query(SystemKey).filter_by(system_id=system.id, state="active").with_for_update()
    former = replaced.all()
    u.step(SYSTEM_KEY, key, "confirmed", by=by)
    for one in former:
        u.step(SYSTEM_KEY, one, "replaced", by=by)
        one.good_until = clock.wire_now() + OVERLAP
    u.session.flush()
    return _view(system, _keys_of(u, [system.id]))


def disable_system_key(u: Unit, key_id: str, *, by: Actor) -> None:
    """Close a key at once. Raises NotFound."""
    if (key := u.get(SystemKey, key_id, lock=True)) is None:
        raise NotFound
    u.step(SYSTEM_KEY, key, "disabled", by=by)


def all_systems(u: Unit) -> list[SystemView]:
    """Every system with its keys, never a secret."""
    systems = u.session.query(System).order_by(System.id).all()
    keys = _keys_of(u, [system.id for system in systems])
    return [_view(system, [key for key in keys if key.system_id == system.id]) for system in systems]


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


def _keys_of(u: Unit, system_ids: list[str]) -> list[SystemKey]:
    return u.session.query(SystemKey).filter(SystemKey.system_id.in_(system_ids)).order_by(SystemKey.id).all()


def _view(system: System, keys: list[SystemKey]) -> SystemView:
    return SystemView(
        system.id, system.name, system.department_id, system.region_code,
        tuple(SystemKeyView(k.id, k.state, SYSTEM_KEY.label(k.state), k.created_at, k.good_until) for k in keys),
    )  # fmt: skip


def _require_in_window(time: str) -> None:
    if not (time.isascii() and time.isdigit() and len(time) <= 12):
        raise SignatureWrong
    if abs(clock.wire_seconds() - int(time)) > WINDOW_S:
        raise ClockSkewed


def _opens(key: SystemKey) -> bool:
    return key.state in ("active", "retiring") and (
        key.good_until is None or clock.wire_now() < key.good_until
    )


def _holds(key: SystemKey, signed: Signed) -> bool:
    secret = vault.open_sealed(sealing.SYSTEM_SECRET, key.id, key.secret)
    right = signing.sign_request(
        secret, signed.method, signed.path_and_query, signed.time, signed.nonce, signed.body
    )
    return signing.same(right, signed.signature)
