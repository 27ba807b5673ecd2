from pathlib import Path

import pytest
from sqlalchemy import Update, update

from backend import catalogue
from backend.catalogue.importing import import_catalogue
from backend.catalogue.models import ItemRow, VersionRow
from backend.store.unit import Unit, unit
from tests.catalogue.makers import CLERK, as_file, numbered


@pytest.fixture(autouse=True)
def _item(register: None, tmp_path: Path) -> None:
    """One published item."""
    import_catalogue(as_file(tmp_path, [numbered("TZ0001")]), CLERK)
    with unit() as u:
        catalogue.publish(u, "TZ0001", CLERK)


class _Undone(Exception):
    """Ends a unit without keeping what it did."""


def _faults_after(spoil: Update) -> list[str]:
    faults: list[str] = []

    def look(u: Unit) -> None:
        u.session.execute(spoil)
        u.session.expire_all()
        faults.extend(fault for fault in catalogue.check_books(u) if fault.startswith("TZ0001"))
        raise _Undone

    with pytest.raises(_Undone), unit() as u:
        look(u)
    return faults


def test_sound_books_have_no_faults() -> None:
    with unit() as u:
        assert catalogue.check_books(u) == []


def test_an_altered_content_is_noticed() -> None:
    spoil = update(VersionRow).where(VersionRow.item_id == "TZ0001").values(content={"name": "other"})
    (fault,) = _faults_after(spoil)
    assert "altered" in fault


def test_a_wrong_number_is_noticed() -> None:
    (fault,) = _faults_after(update(ItemRow).where(ItemRow.id == "TZ0001").values(latest_number=7))
    assert "version 7" in fault
