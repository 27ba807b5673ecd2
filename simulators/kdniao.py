"""Kdniao: pickup orders, tracks and subscriptions by signed form; pushes 101, 102 and 103 to the product."""

import json
from collections.abc import Callable
from urllib.parse import unquote_plus, urlencode

from flask import Blueprint, Response, request

from simulators import kdniao_parcels as parcels
from simulators.answers import json_answer
from simulators.books import Doc, Page
from simulators.clock import plain
from simulators.kdniao_parcels import Refused
from simulators.kdniao_tables import CARRIERS, STEPS
from simulators.outbox import Route, Sealed
from simulators.signing import kdniao_sign, same
from simulators.world import World, current_world, under_weather

desk = Blueprint("kdniao", __name__, url_prefix="/kdniao")

_SUBSCRIPTIONS = "kdniao.subscription"
_PUSH_OF = {"1008": "101", "8008": "102"}
Deed = Callable[[World, Page, Doc], Doc]


@desk.post("/api/OOrderService")
def orders() -> Response:
    """Pickup orders."""
    return _serve(_ORDER_DEEDS)


@desk.post("/Ebusiness/EbusinessOrderHandle.aspx")
def tracks() -> Response:
    """Tracks."""
    return _serve(_TRACK_DEEDS)


@desk.post("/api/dist")
def subscriptions() -> Response:
    """Subscriptions to pushes."""
    return _serve(_SUBSCRIPTION_DEEDS)


def route(world: World) -> Route:
    """How pushes travel; content when the JSON answer says Success true."""

    def seal(content: Doc, forged: str) -> Sealed:
        pushed = {
            "EBusinessID": world.keys["KDNIAO_EBUSINESS_ID"],
            "PushTime": plain(world.clock.now()),
            "Count": str(len(content["data"])),
            "Data": content["data"],
        }
        data = json.dumps(pushed, ensure_ascii=False)
        key = "not-the-key" if forged else world.keys["KDNIAO_API_KEY"]
        form = {"RequestData": data, "RequestType": content["type"], "DataSign": kdniao_sign(data, key)}
        url = f"{world.product_base_url}/callbacks/courier/kdniao"
        headers = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
        return Sealed(url, headers, urlencode(form).encode())

    return Route(seal, _push_accepted)


def advance(world: World, page: Page, parcel: Doc, name: str, more: Doc) -> Doc:
    """The courier takes a step and the product is told; raises kdniao_parcels.Impossible."""
    parcel, item = parcels.take_step(world, page, parcel, name, more)
    if item is not None:
        _push(world, page, "103", parcel, item)
    if STEPS[name].state:
        _push_track(world, page, parcel)
    return parcel


def _push_track(world: World, page: Page, parcel: Doc) -> None:
    """Whole tracks go to whoever subscribed; an order of 1801 is subscribed by itself (102)."""
    wanted = page.all(_SUBSCRIPTIONS, parcel["logistic_code"])
    kinds = {each["push"]: each["callback"] for each in wanted} or ({} if parcel["foreign"] else {"102": ""})
    for kind, callback in kinds.items():
        item = {"EBusinessID": world.keys["KDNIAO_EBUSINESS_ID"]} | parcels.as_track(parcel, detailed=True)
        _push(world, page, kind, parcel, item | ({"CallBack": callback} if callback else {}))


def _push(world: World, page: Page, kind: str, parcel: Doc, item: Doc) -> None:
    world.outbox.post(page, "kdniao", kind, parcel["order_code"], {"type": kind, "data": [item]})


def _push_accepted(status: int, answer: bytes) -> bool:
    try:
        return status == 200 and json.loads(answer)["Success"] is True
    except (ValueError, KeyError, TypeError):
        return False


def _serve(deeds: dict[str, Deed]) -> Response:
    world, kind = current_world(), request.form.get("RequestType", "")

    def act() -> Response:
        try:
            wish = _read_wish(world)
            if kind not in deeds:
                raise Refused("105", f"接口指令{kind}不存在或未开通")
            with world.books.turn() as page:
                told = deeds[kind](world, page, wish)
        except Refused as refused:
            return _say_no(world, refused)
        return json_answer({"EBusinessID": world.keys["KDNIAO_EBUSINESS_ID"]} | told)

    verb = kind if kind in deeds else "unknown"
    return under_weather(
        world,
        "kdniao",
        verb,
        act,
        lambda code: _say_no(world, Refused(code or "105", "系统繁忙，请稍后再试")),
    )


def _read_wish(world: World) -> Doc:
    """The signed request; the signature may be over the once- or, as official samples send it, twice-decoded text."""
    form = request.form
    if missing := [
        name for name in ("RequestData", "EBusinessID", "DataSign", "DataType") if not form.get(name)
    ]:
        raise Refused("101", f"缺少必要参数：{missing[0]}")
    if form["EBusinessID"] != world.keys["KDNIAO_EBUSINESS_ID"]:
        raise Refused("104", "用户ID不存在")
    for decode in (str, unquote_plus):
        text, sign = decode(form["RequestData"]), decode(form["DataSign"])
        if same(kdniao_sign(text, world.keys["KDNIAO_API_KEY"]), sign):
            return _json_object(text)
    raise Refused("102", "数据签名验证失败")


def _json_object(text: str) -> Doc:
    try:
        wish = json.loads(text)
    except ValueError:
        wish = None
    if not isinstance(wish, dict):
        raise Refused("103", "RequestData不是JSON对象")
    return wish


def _say_no(world: World, refused: Refused) -> Response:
    told = {"EBusinessID": world.keys["KDNIAO_EBUSINESS_ID"], "Success": False}
    return json_answer(told | {"ResultCode": refused.code, "Reason": refused.reason})


def _fine(**told: object) -> Doc:
    return {"Success": True, "ResultCode": "100", "Reason": "成功", **told}


def _order(world: World, page: Page, wish: Doc) -> Doc:
    parcel = parcels.order_pickup(world, page, wish)
    order = {"OrderCode": parcel["order_code"], "KDNOrderCode": parcel["kdn_order_code"]}
    return _fine(Order=order, StartDate=wish.get("StartDate") or "", EndDate=wish.get("EndDate") or "")


def _cancel(_world: World, page: Page, wish: Doc) -> Doc:
    parcels.cancel_pickup(page, wish)
    return _fine()


def _tell_order(_world: World, page: Page, wish: Doc) -> Doc:
    parcel = parcels.known(page, wish)
    order: Doc = {
        "OrderCode": parcel["order_code"],
        "KDNOrderCode": parcel["kdn_order_code"],
        "ShipperCode": parcel["shipper"],
        "LogisticCode": parcel["logistic_code"],
        "State": parcel["pickup_state"],
    }
    return _fine(Order=order | (parcels.fees(parcel["weight"]) if parcel["collected"] else {}))


def _check_area(_world: World, _page: Page, wish: Doc) -> Doc:
    parcels.check_sides(wish)
    return _fine(Data=[{"ShipperCode": code, "ShipperName": name} for code, name in CARRIERS.items()])


def _estimate(_world: World, _page: Page, wish: Doc) -> Doc:
    parcels.check_sides(wish)
    price = parcels.fees(float(wish.get("Weight") or 1))
    told = {"weight": price["Weight"], "cost": price["Cost"], "totalFee": price["TotalFee"]}
    return _fine(Data=[{"shipperCode": code} | told for code in CARRIERS])


def _track(detailed: bool) -> Deed:
    def tell(_world: World, page: Page, wish: Doc) -> Doc:
        shipper, number = str(wish.get("ShipperCode", "")), str(wish.get("LogisticCode", ""))
        if not shipper or not number:
            raise Refused("101", "缺少必要参数：ShipperCode、LogisticCode")
        parcel = parcels.by_waybill(page, shipper, number)
        if parcel is not None and parcels.knows_tail(parcel, str(wish.get("CustomerName") or "")):
            return parcels.as_track(parcel, detailed)
        told = {"ShipperCode": shipper, "LogisticCode": number, "State": "0", "Traces": []}
        return {"Success": True, "Reason": "暂无轨迹信息"} | told

    return tell


def _recognise(_world: World, page: Page, wish: Doc) -> Doc:
    number = str(wish.get("LogisticCode", ""))
    known = [parcel["shipper"] for parcel in page.all(parcels.PARCELS, number)] if number else []
    shippers = known or [code for code in CARRIERS if number.startswith(code)]
    named = [{"ShipperCode": code, "ShipperName": CARRIERS.get(code, code)} for code in shippers]
    return {"LogisticCode": number, "Success": bool(named), "Shippers": named}


def _subscribe(push: str) -> Deed:
    def write(world: World, page: Page, wish: Doc) -> Doc:
        shipper, number = str(wish.get("ShipperCode", "")), str(wish.get("LogisticCode", ""))
        if shipper not in CARRIERS or not number:
            raise Refused("101", "缺少必要参数：ShipperCode、LogisticCode")
        note = {
            "shipper": shipper,
            "number": number,
            "push": push,
            "callback": str(wish.get("CallBack") or ""),
        }
        page.put(_SUBSCRIPTIONS, f"{push}|{shipper}|{number}", note, topic=number)
        parcel = parcels.by_waybill(page, shipper, number) or parcels.adopt(world, page, shipper, number)
        if parcel["traces"]:
            _push_track(world, page, parcel)
        return {"UpdateTime": plain(world.clock.now()), "Success": True, "Reason": ""}

    return write


_ORDER_DEEDS: dict[str, Deed] = {
    "1801": _order,
    "1802": _cancel,
    "1804": _tell_order,
    "1816": _tell_order,
    "1814": _check_area,
    "1815": _estimate,
}
_TRACK_DEEDS: dict[str, Deed] = {
    "1002": _track(detailed=False),
    "8001": _track(detailed=True),
    "8002": _track(detailed=True),
    "2002": _recognise,
}
_SUBSCRIPTION_DEEDS: dict[str, Deed] = {kind: _subscribe(push) for kind, push in _PUSH_OF.items()}
