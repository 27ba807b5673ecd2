"""Looking at a person's details: never without a purpose, never without a line the person can read."""

from backend.kernel import clock
from backend.kernel.problems import MalformedRequest
from backend.people import register, wording
from backend.people.models import AccessLook
from backend.people.services import addresses
from backend.people.views import AddressDetail, Look, PersonDetail
from backend.runtime.audience import Principal
from backend.runtime.paging import Page, cursor, keys_of
from backend.store.unit import Unit


def reveal(u: Unit, person_id: str, by: Principal, purpose: str, matter: str = "") -> PersonDetail:
    """A person in plain words, for staff or systems at work on `matter`; writes an access line. Raises NotFound."""
    person = register.person_row(u, person_id)
    _write_down(u, person.id, by, "detail", purpose, matter)
    return PersonDetail(
        person.id,
        register.name_of(person),
        register.id_no_of(person),
        register.phone_of(person),
        person.level,
    )


def reveal_address(u: Unit, address_id: str, by: Principal, purpose: str, matter: str = "") -> AddressDetail:
    """An address in plain words, for couriers on their way; writes an access line. Raises AddressNotFound."""
    row = addresses.any_address(u, address_id)
    _write_down(u, row.person_id, by, "address", purpose, matter)
    return addresses.detail_of(row)


def note_look(u: Unit, person_id: str, by: Principal, what: str, purpose: str, matter: str = "") -> None:
    """Write an access line for details that another house keeps (`what`: detail, address, material or evidence)."""
    _write_down(u, person_id, by, what, purpose, matter)


def looks_at(u: Unit, person_id: str, after: str | None = None, limit: int = 20) -> Page[Look]:
    """Who looked at this person's details, newest first."""
    rows = u.session.query(AccessLook).filter(AccessLook.person_id == person_id)
    if (keys := keys_of(after, 1)) is not None:
        if not isinstance(keys[0], int):
            raise MalformedRequest("翻页标记不正确，请从第一页重新查看。")
        rows = rows.filter(AccessLook.id < keys[0])
    found = rows.order_by(AccessLook.id.desc()).limit(limit + 1).all()
    shown = found[:limit]
    return Page(tuple(_view(row) for row in shown), cursor(shown[-1].id) if len(found) > limit else None)


def _write_down(u: Unit, person_id: str, by: Principal, what: str, purpose: str, matter: str) -> None:
    if not purpose.strip():
        raise ValueError("nobody looks at a person's details without a purpose")
    line = AccessLook(
        looked_at=clock.now(), person_id=person_id, viewer_kind=by.kind, viewer_id=by.id,
        viewer_label=by.label[:60], session_id=by.session_id, what=what, purpose=purpose[:80], matter=matter,
    )  # fmt: skip
    u.add(line)


def _view(row: AccessLook) -> Look:
    who = row.viewer_label or wording.label(f"viewer.{row.viewer_kind}")
    return Look(row.looked_at, who, wording.label(f"what.{row.what}"), row.purpose, row.matter)
