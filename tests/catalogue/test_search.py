from typing import Any

import pytest

from backend import catalogue
from backend.catalogue.importing import import_catalogue
from backend.kernel.problems import MalformedRequest
from backend.store.unit import unit
from tests.catalogue.makers import CLERK, as_file, numbered

THEMES = {"service_target": "个人", "themes": ["legal"], "keywords": ["别名"]}


@pytest.fixture(scope="module", autouse=True)
def _items(register: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    records = [
        numbered("TS0001", name="测试甲事项", **{**THEMES, "keywords": ["俗称"]}),
        numbered("TS0002", name="测试乙事项", regions=["341602"], **THEMES),
        numbered("TS0003", name="测试100%事项", dept_id="BZ-GJJ", regions=["341621"], **THEMES),
        numbered("TS0004", name="测试丁事项", **THEMES),
    ]
    import_catalogue(as_file(tmp_path_factory.mktemp("search"), records), CLERK)
    with unit() as u:
        for item_id in ("TS0001", "TS0002", "TS0003"):
            catalogue.publish(u, item_id, CLERK)


def _found(**asked: Any) -> list[str]:
    with unit() as u:
        page = catalogue.search_items(u, theme="legal", **asked)
    return [card.item_id for card in page.items]


def test_only_published_items_are_found() -> None:
    assert _found() == ["TS0001", "TS0002", "TS0003"]


def test_every_word_must_be_in_the_names() -> None:
    assert _found(text="测试 乙") == ["TS0002"]
    assert _found(text="测试 戊") == []


def test_everyday_words_find_items_too() -> None:
    assert _found(text="俗称") == ["TS0001"]


@pytest.mark.parametrize(("text", "found"), [("100%", ["TS0003"]), ("1%", []), ("_", []), ("\\", [])])
def test_wildcards_are_plain_characters(text: str, found: list[str]) -> None:
    assert _found(text=text) == found


def test_a_district_sees_its_own_items_and_those_of_all() -> None:
    assert _found(region_id="341602") == ["TS0001", "TS0002"]
    assert _found(region_id="341602403") == ["TS0001", "TS0002"]
    with pytest.raises(catalogue.RegionUnknown):
        _found(region_id="999999")


def test_a_department_lists_its_items() -> None:
    assert _found(department_id="BZ-GJJ") == ["TS0003"]


def test_pages_follow_each_other() -> None:
    with unit() as u:
        first = catalogue.search_items(u, theme="legal", limit=2)
        second = catalogue.search_items(u, theme="legal", limit=2, cursor=first.next)
        with pytest.raises(MalformedRequest):
            catalogue.search_items(u, cursor="nonsense")
    assert [card.item_id for card in (*first.items, *second.items)] == ["TS0001", "TS0002", "TS0003"]
    assert second.next is None


def test_a_card_tells_what_a_list_needs() -> None:
    with unit() as u:
        (card,) = catalogue.search_items(u, text="测试甲事项").items
    assert (card.promise, card.visits, card.is_fee, card.served_by) == ("5个工作日", 1, True, "case")
