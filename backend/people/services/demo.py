"""Staff, couriers and systems of a demonstration town. Production refuses them.

Passwords and secrets are derived from the town's own key, so that every town has others and the same command
can print them again.
"""

import base64
import json
from pathlib import Path
from typing import Any

from backend.kernel import clock
from backend.people import scopes, sealing, wording
from backend.people.machine import STAFF, SYSTEM_KEY
from backend.people.models import Staff, System, SystemKey
from backend.people.services import passwords, riders, staff
from backend.people.views import DemoAccount, DemoPeople, DemoRider, DemoSystem
from backend.runtime.settings import settings
from backend.store import vault
from backend.store.unit import SYSTEM, Unit

WRITTEN = Path(__file__).parents[3] / "data" / "demo_people.json"
_TOTP_BYTES = 20


def settle_demo_people(u: Unit) -> DemoPeople:
    """Make whoever is missing; returns all with what they need to log in. Raises RuntimeError in production."""
    if settings().town.is_production:
        raise RuntimeError("a production town has no demonstration accounts")
    written = json.loads(WRITTEN.read_text("utf-8"))
    return DemoPeople(
        staff=tuple(_settle_staff(u, **who) for who in written["staff"]),
        riders=tuple(_settle_rider(u, **who) for who in written["riders"]),
        systems=tuple(_settle_system(u, **what) for what in written["systems"]),
    )


def _settle_staff(u: Unit, account: str, name: str, roles: list[str], **post: Any) -> DemoAccount:
    password, secret = "Demo-" + _derived(f"password {account}").hex()[:12], _totp_secret(account)
    row = staff.by_account(u, account)
    if row is None:
        invitation = staff.employ(u, account, name, roles=roles, by=SYSTEM, **post)
        row = u.get(Staff, invitation.staff_id, lock=True)
        assert row is not None
        passwords.set_password(u, row, password)
        row.totp_secret = vault.seal(sealing.STAFF_TOTP, row.id, secret)
        row.enrolment_digest, row.enrolment_until = None, None
        u.step(STAFF, row, "enrolled", by=SYSTEM)
        u.session.flush()
    label = scopes.label_of(row.department_name, staff.scopes_in(u, row.id))
    return DemoAccount(account, password, secret, label, row.department_id, tuple(roles))


def _settle_rider(u: Unit, name: str, phone: str, carrier: str, point: str, region_code: str) -> DemoRider:
    if riders.rider_by_phone(u, phone) is None:
        riders.enrol_rider(u, name, phone, carrier=carrier, point=point, region_code=region_code, by=SYSTEM)
    return DemoRider(phone, carrier, point)


def _settle_system(u: Unit, name: str, department_id: str, region_code: str) -> DemoSystem:
    """Ids follow from the name, so that a second call finds the first one's key."""
    tail = base64.b32hexencode(_derived(f"id {name}")).decode().lower()[:12]
    system_id, key_id = f"sy-demo{tail}", f"ky-demo{tail}"
    secret = _derived(f"secret {name}").hex()
    if u.get(System, system_id) is None:
        now = clock.now()
        u.add(
            System(
                id=system_id, name=name, department_id=department_id, region_code=region_code, created_at=now
            )
        )
        u.session.flush()
        sealed = vault.seal(sealing.SYSTEM_SECRET, key_id, secret)
        key = SystemKey(
            id=key_id,
            system_id=system_id,
            secret=sealed,
            issued_by=SYSTEM.id,
            created_at=now,
            good_until=None,
        )
        u.begin(SYSTEM_KEY, key, by=SYSTEM, says=wording.label("begun.system_key"))
        u.add(key)
        u.step(SYSTEM_KEY, key, "confirmed", by=SYSTEM)
        u.session.flush()
    return DemoSystem(department_id, key_id, secret)


def _totp_secret(account: str) -> str:
    return base64.b32encode(_derived(f"totp {account}")[:_TOTP_BYTES]).decode()


def _derived(purpose: str) -> bytes:
    return vault.journal_digest(f"demonstration {purpose}".encode())
