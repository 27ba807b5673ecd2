from typing import Any

import pytest
from flask.testing import FlaskClient

from backend import catalogue
from backend.catalogue.importing import import_catalogue
from backend.runtime.surface import Surface
from backend.runtime.web import build
from backend.store.unit import unit
from miniprogram_api.catalogue import register as register_story
from tests.catalogue.makers import CLERK, as_file, numbered


@pytest.fixture(scope="module")
def client(register: None, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The citizens' window with this story alone, without an account."""
    records = [
        numbered("TV0001", regions=["341621"]),
        numbered("TV0002"),
        numbered("TV0003", faq=None),
    ]
    import_catalogue(as_file(tmp_path_factory.mktemp("window"), records), CLERK)
    with unit() as u:
        for item_id in ("TV0001", "TV0002"):
            catalogue.publish(u, item_id, CLERK)
    surface = Surface("mp", "/mp/v1", audience="citizen", title="市民窗口")
    register_story(surface)
    return build([surface], [], mode="test", ready=lambda: True).test_client()


def _json(client: FlaskClient, path: str, status: int = 200) -> Any:
    response = client.get(f"/mp/v1{path}")
    assert response.status_code == status, response.text
    return response.get_json(force=True)


def test_a_guide_tells_everything_a_citizen_needs(client: FlaskClient) -> None:
    guide = _json(client, "/items/TV0002")
    assert guide["legal_basis"] == "不动产登记暂行条例第二十条"
    assert guide["promise"] == {"days": 5, "unit": "WD", "says": "5个工作日"}
    assert guide["legal"]["says"] == "30个工作日"
    assert len(guide["steps"]) >= 5
    assert guide["contacts"]["consult_phone"].startswith("0558-")
    assert {"name", "basis", "format", "copies", "signature"} <= guide["materials"][0].keys()
    assert [fee["amount_yuan"] for fee in guide["prices"]["fees"]] == ["80.00", "550.00", "10.00"]
    assert guide["ways"]["booking_after"] == "pre_review"
    assert "steps" in guide["ours"]


def test_the_window_keeps_test_codes_and_notes_inside(client: FlaskClient) -> None:
    text = client.get("/mp/v1/items/TV0002").text
    assert "11341600TTT" not in text
    assert "网页核对" not in text


def test_a_form_can_be_drawn_from_its_answer(client: FlaskClient) -> None:
    form = _json(client, "/items/TV0002/form")
    kind = form["fields"][0]
    assert (kind["name"], kind["kind"], kind["required"]) == ("house_kind", "choice", True)
    assert kind["options"][0] == {"value": "residential", "label": "住宅"}
    assert [one["code"] for one in form["materials"]] == ["m1", "m2", "m3", "m4", "m5"]


def test_fees_are_a_table(client: FlaskClient) -> None:
    table = _json(client, "/items/TV0002/fees")
    assert table["fees"][0]["applies_when"] == {"house_kind": ["residential"]}
    assert (table["fees"][2]["counted_by"], table["fees"][2]["beyond"]) == ("certificate_count", 1)


def test_a_draft_is_not_public(client: FlaskClient) -> None:
    assert _json(client, "/items/TV0003", 409)["type"] == "urn:zhangban:problem:item-not-published"
    assert _json(client, "/items/ZZ9999", 404)["type"] == "urn:zhangban:problem:item-unknown"
    assert _json(client, "/items/TV0003/versions/1", 404)["type"] == "urn:zhangban:problem:item-unknown"


def test_a_guide_can_be_read_by_version(client: FlaskClient) -> None:
    assert (
        _json(client, "/items/TV0002/versions/1")["version_id"]
        == _json(client, "/items/TV0002")["version_id"]
    )


def test_lists_narrow_by_what_is_asked(client: FlaskClient) -> None:
    found = _json(client, "/items?region=341602&theme=housing&text=首次登记&department=BZ-GT&limit=100")
    ids = {card["item_id"] for card in found["items"]}
    assert "TV0002" in ids
    assert not ids & {"TV0001", "TV0003"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("colour=red", 422),
        ("cursor=x", 400),
        ("region=999999", 404),
        ("text=a&text=b", 400),
    ],
)
def test_bad_questions_are_refused(client: FlaskClient, query: str, status: int) -> None:
    _json(client, f"/items?{query}", status)


def test_an_unchanged_guide_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/mp/v1/items/TV0002")
    again = client.get("/mp/v1/items/TV0002", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_departments_regions_and_themes_are_listed(client: FlaskClient) -> None:
    assert len(_json(client, "/departments")) == 62
    assert len(_json(client, "/regions")) == 7
    assert {"code": "housing", "name": "住房不动产", "audience": ["个人", "法人"]} in _json(client, "/themes")
