"""A copy of everything kept about a person, in plain words, for that person (PIPL article 45)."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from backend.kernel import clock
from backend.people import questions, register
from backend.people.models import AccessLook, Address, Channel
from backend.people.services import addresses, consents
from backend.store.unit import Unit

Part = Callable[[Unit, str], object]
_parts: dict[str, Part] = {}
MOST_LOOKS = 1000


def use_export_part(name: str, part: Part) -> None:
    """Said by the town plan: another house adds what it keeps, as (unit, person id) -> something JSON can say."""
    _parts[name] = part


def export_of(u: Unit, person_id: str) -> dict[str, Any]:
    """The copy: own part first, then one part per house. Raises NotFound."""
    person = register.person_row(u, person_id)
    kept = u.session.query(Address).filter(Address.person_id == person.id, Address.removed_at.is_(None))
    return {
        "made_at": clock.now(),
        "person": {
            "id": person.id, "name": register.name_of(person), "id_no": register.id_no_of(person),
            "phone": register.phone_of(person), "level": person.level, "verified_at": person.verified_at,
            "elder_mode": person.elder_mode, "push_off": person.push_off, "created_at": person.created_at,
        },
        "channels": _channels(u, person.id),
        "accounts": dict(questions.contact_of(u, person.id).openids),
        "addresses": [asdict(addresses.detail_of(row)) for row in kept.order_by(Address.created_at)],
        "consents": [asdict(consent) for consent in consents.consents_of(u, person.id)],
        "looks": _looks(u, person.id),
        **{name: part(u, person.id) for name, part in _parts.items()},
    }  # fmt: skip


def _channels(u: Unit, person_id: str) -> list[dict[str, str | datetime]]:
    rows = u.session.query(Channel).filter(Channel.person_id == person_id).order_by(Channel.linked_at)
    return [{"channel": row.channel, "linked_at": row.linked_at} for row in rows]


def _looks(u: Unit, person_id: str) -> list[dict[str, str | datetime]]:
    rows = (
        u.session.query(AccessLook).filter(AccessLook.person_id == person_id).order_by(AccessLook.id.desc())
    )
    return [
        {"looked_at": r.looked_at, "who": r.viewer_label, "purpose": r.purpose, "matter": r.matter}
        for r in rows.limit(MOST_LOOKS)
    ]
