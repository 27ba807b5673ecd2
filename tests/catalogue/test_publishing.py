import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend import catalogue
from backend.catalogue.importing import import_catalogue
from backend.catalogue.machine import VERSION
from backend.kernel.problems import ImpossibleMove
from backend.store.outbox import OutboxRow
from backend.store.unit import run_unit, unit
from tests.catalogue.makers import CLERK, as_file, given_record, numbered


@pytest.fixture(autouse=True)
def _register(register: None) -> None:
    """Every test here needs the register."""


def _import(folder: Path, *records: dict[str, Any]) -> None:
    import_catalogue(as_file(folder, list(records)), CLERK)


def _publish(item_id: str) -> catalogue.ItemVersion:
    return run_unit(lambda u: catalogue.publish(u, item_id, CLERK))


def _withdraw(item_id: str) -> None:
    run_unit(lambda u: catalogue.withdraw(u, item_id, CLERK, "政策调整"))


def _published(item_id: str) -> catalogue.ItemVersion:
    with unit() as u:
        return catalogue.published_version(u, item_id)


def _events(item_id: str) -> list[str]:
    with unit() as u:
        query = select(OutboxRow.payload).where(
            OutboxRow.stream == item_id, OutboxRow.kind == "ItemPublished"
        )
        return [payload["item_version_id"] for payload in u.session.scalars(query.order_by(OutboxRow.id))]


def test_a_record_with_gaps_is_not_published(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0001", contacts=None))
    with pytest.raises(catalogue.HasFindings) as caught:
        _publish("TP0001")
    assert [finding["field"] for finding in caught.value.findings] == ["contacts"]
    assert _events("TP0001") == []


def test_a_draft_cannot_be_filed(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0002"))
    with pytest.raises(catalogue.ItemNotPublished):
        _published("TP0002")


def test_an_unknown_item_is_unknown() -> None:
    with pytest.raises(catalogue.ItemUnknown):
        _published("ZZ9999")
    with pytest.raises(catalogue.ItemUnknown):
        _publish("ZZ9999")
    with unit() as u, pytest.raises(catalogue.VersionUnknown):
        catalogue.version(u, "iv-none")


def test_publication_is_told_to_the_town(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0003"))
    published = _publish("TP0003")
    assert _published("TP0003") == published
    assert _events("TP0003") == [published.id]


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0004"))
    assert _publish("TP0004") == _publish("TP0004")
    assert len(_events("TP0004")) == 1


def test_a_new_version_supersedes_and_the_old_stays_readable(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0005"))
    old = _publish("TP0005")
    _import(tmp_path, numbered("TP0005", promise_days=4, compress_ratio=0.8667))
    new = _publish("TP0005")
    assert _published("TP0005") == new
    assert (old.number, old.policy.promise.days) == (1, 5)
    assert (new.number, new.policy.promise.days) == (2, 4)
    with unit() as u:
        assert catalogue.version(u, old.id) == old
        assert [one.state for one in catalogue.versions_of(u, "TP0005")] == ["published", "superseded"]
        assert [line.trigger for line in u.journal_of("TP0005")] == [
            "begun", "published", "begun", "superseded", "published",
        ]  # fmt: skip


def test_a_version_with_gaps_leaves_the_old_in_force(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0006"))
    old = _publish("TP0006")
    _import(tmp_path, numbered("TP0006", steps=None))
    with pytest.raises(catalogue.HasFindings):
        _publish("TP0006")
    assert _published("TP0006") == old


def test_a_withdrawn_item_cannot_be_filed_until_published_again(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0007"))
    before = _publish("TP0007")
    _withdraw("TP0007")
    with pytest.raises(catalogue.ItemNotPublished):
        _published("TP0007")
    with pytest.raises(catalogue.ItemNotPublished):
        _withdraw("TP0007")
    assert _publish("TP0007") == before


def test_a_new_version_supersedes_a_withdrawn_one(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0008"))
    _publish("TP0008")
    _withdraw("TP0008")
    _import(tmp_path, numbered("TP0008", name="新名称"))
    assert _publish("TP0008").number == 2


def test_many_publishing_at_once_tell_it_once(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0009"))
    threads = [threading.Thread(target=_publish, args=("TP0009",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_events("TP0009")) == 1


def test_a_superseded_version_never_comes_back() -> None:
    with pytest.raises(ImpossibleMove):
        VERSION.move("superseded", "published")


def test_drafts_are_listed_with_what_they_lack(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0010", dept_id="BZ-GJJ", faq=None), numbered("TP0011", dept_id="BZ-GJJ"))
    with unit() as u:
        first = catalogue.drafts(u, department_id="BZ-GJJ", limit=1)
        second = catalogue.drafts(u, department_id="BZ-GJJ", limit=1, cursor=first.next)
    assert [(one.item_id, len(one.findings)) for one in (*first.items, *second.items)] == [
        ("TP0010", 1), ("TP0011", 0),
    ]  # fmt: skip


def test_only_versions_once_in_force_are_public(tmp_path: Path) -> None:
    _import(tmp_path, numbered("TP0012"))
    first = _publish("TP0012")
    _import(tmp_path, numbered("TP0012", name="新名称"))
    with unit() as u:
        assert catalogue.version_once_published(u, "TP0012", 1) == first
        with pytest.raises(catalogue.ItemUnknown):
            catalogue.version_once_published(u, "TP0012", 2)


def test_a_given_record_is_not_published_as_it_is(tmp_path: Path) -> None:
    _import(tmp_path, given_record("SI074"))
    with pytest.raises(catalogue.HasFindings):
        _publish("SI074")
