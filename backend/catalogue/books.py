"""What the nightly check looks for in the register: contents altered behind our back, numbers that do not fit."""

import hashlib
from collections.abc import Iterator

from sqlalchemy import select

from backend.catalogue import given
from backend.catalogue.machine import PUBLISHED
from backend.catalogue.models import ItemRow, VersionRow
from backend.catalogue.record import ItemRecord
from backend.catalogue.rules import gaps_of
from backend.kernel.crypto import canonical
from backend.store.unit import Unit


def check_books(u: Unit) -> list[str]:
    """One sentence per fault; none is the normal answer."""
    rows = u.session.scalars(select(VersionRow).order_by(VersionRow.item_id, VersionRow.number)).all()
    newest = {row.item_id: row.number for row in rows}
    faults = [fault for row in rows for fault in _faults(row)]
    for item in u.session.scalars(select(ItemRow).order_by(ItemRow.id)):
        if newest.get(item.id) != item.latest_number:
            faults.append(f"{item.id}: version {item.latest_number} should be the newest, but is not")
    return faults


def _faults(row: VersionRow) -> Iterator[str]:
    if hashlib.sha256(canonical(row.content)).digest() != row.digest:
        yield f"{row.item_id} {row.id}: the content of version {row.number} was altered"
    elif row.state == PUBLISHED and gaps_of(ItemRecord.model_validate(row.content), given.audiences()):
        yield f"{row.item_id} {row.id}: version {row.number} is published, but the rules find gaps in it"
