import json
from typing import Any

import pytest

from tests.simulators.conftest import Outside
from tests.simulators.signers import kdniao

ORDERS, TRACKS, DIST = "/api/OOrderService", "/Ebusiness/EbusinessOrderHandle.aspx", "/api/dist"
PUSHES = "/callbacks/courier/kdniao"


def side(name: str, mobile: str) -> dict[str, str]:
    place = {"ProvinceName": "安徽省", "CityName": "亳州市", "ExpAreaName": "谯城区", "Address": "测试路2号"}
    return {"Name": name, "Mobile": mobile} | place


def wish(code: str = "par-1", **more: Any) -> dict[str, Any]:
    doc = {"OrderCode": code, "ShipperType": 4, "PayType": 3, "ExpType": 1, "Weight": 1, "Quantity": 1}
    doc |= {"Sender": side("测试甲", "13900000001"), "Receiver": side("测试局", "13900000002")}
    return doc | {"Commodity": [{"GoodsName": "行驶证", "GoodsQuantity": 1}]} | more


@pytest.fixture
def ordered(outside: Outside) -> dict[str, Any]:
    return kdniao(outside.env, ORDERS, "1801", wish())


def advance(outside: Outside, *steps: str, **more: Any) -> Any:
    for step in steps:
        parcel = outside.ask("/control/kdniao/advance", {"order_code": "par-1", "to": step} | more)
    return parcel


def pushed(outside: Outside, count: int) -> list[tuple[str, dict[str, Any]]]:
    letters = outside.product.wait(count, PUSHES)
    return [(each.form["RequestType"], json.loads(each.form["RequestData"])["Data"][0]) for each in letters]


def test_an_order_code_serves_once(outside: Outside, ordered: dict[str, Any]) -> None:
    assert (ordered["ResultCode"], ordered["Order"]["OrderCode"]) == ("100", "par-1")
    assert kdniao(outside.env, ORDERS, "1802", {"OrderCode": "par-1", "CancelType": 11})["Success"]
    again = kdniao(outside.env, ORDERS, "1801", wish())
    assert (again["Success"], again["ResultCode"]) == (False, "105")
    assert outside.product.letters == []


@pytest.mark.usefixtures("ordered")
def test_a_parcels_day_is_pushed_step_by_step(outside: Outside) -> None:
    advance(outside, "accepted", "courier", "collected", "waybill", "in_transit", "arrived")
    advance(outside, "out_for_delivery", "signed")
    news = pushed(outside, 11)
    assert [item["State"] for kind, item in news if kind == "103"] == ["102", "103", "301", "120", "2", "3"]
    tracks = [item for kind, item in news if kind == "102"]
    assert [item["StateEx"] for item in tracks] == ["1", "2", "201", "202", "301"]
    assert len(tracks[-1]["Traces"]) == 5
    courier, collected = (item for kind, item in news if item["State"] in ("103", "301") and kind == "103")
    assert courier["PickerInfo"][0]["PickupCode"]
    assert (collected["TotalFee"], collected["LogisticCode"][:1]) == (12.0, "1")


@pytest.mark.usefixtures("ordered")
def test_weight_decides_the_fee(outside: Outside) -> None:
    advance(outside, "collected", weight=2.5)
    (item,) = (item for kind, item in pushed(outside, 2) if kind == "103")
    assert item["TotalFee"] == 16.0


@pytest.mark.usefixtures("ordered")
def test_a_collected_parcel_cannot_be_cancelled(outside: Outside) -> None:
    advance(outside, "collected")
    answer = kdniao(outside.env, ORDERS, "1802", {"OrderCode": "par-1", "CancelType": 11})
    assert (answer["Success"], answer["ResultCode"]) == (False, "105")


@pytest.mark.usefixtures("ordered")
def test_nothing_happens_after_the_end(outside: Outside) -> None:
    advance(outside, "collected", "signed")
    outside.ask("/control/kdniao/advance", {"order_code": "par-1", "to": "lost"}, 409)
    assert advance(outside, "lost", force=True)["state_ex"] == "405"


@pytest.mark.usefixtures("ordered")
def test_an_uncollected_parcel_cannot_travel(outside: Outside) -> None:
    outside.ask("/control/kdniao/advance", {"order_code": "par-1", "to": "in_transit"}, 409)


@pytest.mark.usefixtures("ordered")
def test_orders_and_tracks_can_be_asked(outside: Outside) -> None:
    parcel = advance(outside, "collected", "arrived")
    order = kdniao(outside.env, ORDERS, "1804", {"OrderCode": "par-1"})["Order"]
    assert (order["State"], order["LogisticCode"]) == ("301", parcel["logistic_code"])
    asked = {"ShipperCode": "EMS", "LogisticCode": parcel["logistic_code"]}
    plain, detailed = (kdniao(outside.env, TRACKS, kind, asked) for kind in ("1002", "8001"))
    assert (plain["State"], "StateEx" in plain) == ("2", False)
    assert (detailed["StateEx"], detailed["Traces"][1]["Action"]) == ("201", "201")
    unknown = kdniao(outside.env, TRACKS, "8001", asked | {"LogisticCode": "1999999999999"})
    assert (unknown["State"], unknown["Traces"]) == ("0", [])
    assert kdniao(outside.env, ORDERS, "1804", {"OrderCode": "par-9"})["Reason"] == "订单不存在"


def test_sf_wants_the_tail_of_a_phone(outside: Outside) -> None:
    kdniao(outside.env, ORDERS, "1801", wish(ShipperCode="SF"))
    number = advance(outside, "collected")["logistic_code"]
    asked = {"ShipperCode": "SF", "LogisticCode": number}
    assert kdniao(outside.env, TRACKS, "8001", asked)["Traces"] == []
    assert kdniao(outside.env, TRACKS, "8001", asked | {"CustomerName": "0001"})["Traces"]


@pytest.mark.parametrize(("kind", "push"), [("1008", "101"), ("8008", "102")])
def test_a_foreign_waybill_can_be_subscribed(outside: Outside, kind: str, push: str) -> None:
    asked = {"ShipperCode": "EMS", "LogisticCode": "1234567890123", "CallBack": "par-7"}
    assert kdniao(outside.env, DIST, kind, asked)["Success"]
    outside.ask("/control/kdniao/advance", {"logistic_code": "1234567890123", "to": "arrived"})
    ((came, item),) = pushed(outside, 1)
    assert (came, item["LogisticCode"], item["CallBack"]) == (push, "1234567890123", "par-7")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Sender": None}, "101"),
        ({"Commodity": []}, "101"),
        ({"ShipperType": None}, "101"),
        ({"Receiver": side("测试<b>", "13900000002")}, "103"),
        ({"Receiver": side("测", "1") | {"ProvinceName": "北京市"}}, "103"),
        ({"Receiver": side("测", "1") | {"Address": "超区"}}, "105"),
        ({"Remark": "长" * 61}, "103"),
    ],
)
def test_a_faulty_order_is_refused(outside: Outside, more: dict[str, Any], code: str) -> None:
    answer = kdniao(outside.env, ORDERS, "1801", wish(**more))
    assert (answer["Success"], answer["ResultCode"]) == (False, code)


def test_a_wrong_key_is_refused(outside: Outside) -> None:
    assert kdniao(outside.env, ORDERS, "1801", wish(), key="guessed")["ResultCode"] == "102"


def test_the_twice_encoded_form_is_tolerated(outside: Outside) -> None:
    assert kdniao(outside.env, ORDERS, "1801", wish(), twice=True)["Success"]


def test_area_and_price_can_be_asked(outside: Outside) -> None:
    assert kdniao(outside.env, ORDERS, "1814", wish())["Success"]
    priced = kdniao(outside.env, ORDERS, "1815", wish(Weight=3))["Data"][0]
    assert priced["cost"] == 16.0


@pytest.mark.usefixtures("ordered")
def test_a_changed_waybill_names_the_old_one(outside: Outside) -> None:
    old = advance(outside, "collected")["logistic_code"]
    advance(outside, "reassigned", shipper="JD")
    item = pushed(outside, 3)[-1][1]
    assert (item["State"], item["OldLogisticCode"], item["ShipperCode"]) == ("109", old, "JD")
