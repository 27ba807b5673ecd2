"""Kdniao's ledger of parcels: ordered by 1801, or known by their waybill alone; moved by the courier's steps."""

import re
from typing import Any

from simulators.answers import number_text
from simulators.books import Doc, Page
from simulators.clock import plain
from simulators.kdniao_tables import (
    CARRIERS,
    DEFAULT_CARRIER,
    FEE_STATES,
    PHONE_TAIL_WANTED,
    PICKER_STATES,
    STEPS,
    Step,
)
from simulators.world import World

PARCELS = "kdniao.parcel"
_UNWANTED = re.compile(r"['\"#&+<>%\\]")
_SIDE_FIELDS = ("Name", "ProvinceName", "CityName", "ExpAreaName", "Address")
_MUNICIPALITIES = ("北京市", "上海市", "天津市", "重庆市")
_OUT_OF_AREA = "超区"


class Refused(Exception):
    """Kdniao says no: ResultCode and Reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Impossible(Exception):
    """The courier cannot do this now."""


def order_pickup(world: World, page: Page, wish: Doc) -> Doc:
    """Accept a pickup order (1801); raises Refused. An order code serves once, cancelled or not."""
    code = _text(wish, "OrderCode", 50)
    if page.get(PARCELS, code) is not None:
        raise Refused("105", "订单号重复，请更换订单号后重新下单")
    if str(wish.get("PayType")) not in ("1", "2", "3") or str(wish.get("ExpType")) != "1":
        raise Refused("101", "缺少必要参数：PayType、ExpType")
    shipper = str(wish.get("ShipperCode") or "")
    if not shipper and str(wish.get("ShipperType")) not in ("3", "4", "5"):
        raise Refused("101", "缺少必要参数：ShipperType或ShipperCode")
    if shipper and shipper not in CARRIERS:
        raise Refused("105", "不支持的快递公司编码")
    check_sides(wish)
    goods = wish.get("Commodity")
    if not isinstance(goods, list) or not goods or not all(good.get("GoodsName") for good in goods):
        raise Refused("101", "缺少必要参数：Commodity")
    if len(str(wish.get("Remark") or "")) > 60:
        raise Refused("103", "Remark超过60字")
    return keep(page, _new_parcel(world, code, shipper or DEFAULT_CARRIER, wish))


def cancel_pickup(page: Page, wish: Doc) -> None:
    """Take a pickup order back (1802); raises Refused. The product gets no push for its own cancelling."""
    parcel = known(page, wish)
    if parcel["collected"] or parcel["pickup_state"] in ("104", "301"):
        raise Refused("105", "快件已揽收，不能取消")
    if parcel["ended"]:
        raise Refused("105", "订单已取消，请勿重复操作")
    if not str(wish.get("CancelType") or "").isdecimal():
        raise Refused("101", "缺少必要参数：CancelType")
    keep(page, parcel | {"step": "called_off", "pickup_state": "203", "ended": True})


def known(page: Page, wish: Doc) -> Doc:
    """The parcel by OrderCode or KDNOrderCode; raises Refused."""
    parcel = page.get(PARCELS, str(wish.get("OrderCode") or ""))
    if parcel is None and (number := wish.get("KDNOrderCode") or wish.get("KdnOrderCode")):
        parcel = next((each for each in page.all(PARCELS) if each["kdn_order_code"] == number), None)
    if parcel is None:
        raise Refused("105", "订单不存在")
    return parcel


def by_waybill(page: Page, shipper: str, number: str) -> Doc | None:
    """The parcel that travels under this waybill number."""
    fitting = [
        each
        for each in page.all(PARCELS, number)
        if each["shipper"] == shipper and each["logistic_code"] == number
    ]
    return fitting[0] if fitting else None


def adopt(world: World, page: Page, shipper: str, number: str) -> Doc:
    """A parcel ordered elsewhere, known from now on by its waybill."""
    parcel = _new_parcel(world, f"waybill {number}", shipper, {})
    return keep(page, parcel | {"logistic_code": number, "collected": True, "foreign": True})


def check_sides(wish: Doc) -> None:
    """Raise Refused unless sender and receiver are whole, clean and within reach."""
    for side in ("Sender", "Receiver"):
        person = wish.get(side)
        if not isinstance(person, dict):
            raise Refused("101", f"缺少必要参数：{side}")
        missing = [name for name in _SIDE_FIELDS if not str(person.get(name) or "").strip()]
        if missing or not (person.get("Mobile") or person.get("Tel")):
            raise Refused("101", f"缺少必要参数：{side}.{(missing or ['Mobile'])[0]}")
        if any(_UNWANTED.search(str(value)) for value in person.values()):
            raise Refused("103", f"{side}含有特殊字符")
        if person["ProvinceName"] in _MUNICIPALITIES:
            raise Refused("103", f"{side}.ProvinceName直辖市不带“市”")
        if _OUT_OF_AREA in person["Address"]:
            raise Refused("105", "超出服务区域")


def take_step(world: World, page: Page, parcel: Doc, name: str, more: Doc) -> tuple[Doc, Doc | None]:
    """The courier does something; gives the parcel and the item of push 103, if there is one. Raises Impossible.

    ``more`` may hold ``weight`` (kg), ``place``, ``logistic_code``, ``shipper``, ``force``.
    """
    step = STEPS[name]
    if not more.get("force"):
        _check_step(parcel, step)
    before = parcel
    parcel = parcel | {"step": name, "ended": step.ends}
    if step.pickup or not parcel["foreign"]:
        parcel = _with_pickup(world, parcel, name, step, more)
    if step.state:
        parcel |= {"traces": [*parcel["traces"], _trace(world, step, more)], "collected": True}
        parcel |= {"state": step.state, "state_ex": step.state_ex}
    keep(page, parcel)
    return parcel, _pickup_item(world, before, parcel, step) if step.pickup and not parcel[
        "foreign"
    ] else None


def as_track(parcel: Doc, detailed: bool) -> Doc:
    """The parcel's traces as queries and pushes show them; StateEx and Action only in the monitored kind."""
    traces = parcel["traces"]
    told = {
        "OrderCode": "" if parcel["foreign"] else parcel["order_code"],
        "ShipperCode": parcel["shipper"],
        "LogisticCode": parcel["logistic_code"],
        "Success": True,
        "Reason": "" if traces else "暂无轨迹信息",
        "State": parcel["state"],
        "Traces": traces if detailed else [_bare(trace) for trace in traces],
    }
    if detailed:
        told |= {"StateEx": parcel["state_ex"], "Location": traces[-1]["Location"] if traces else ""}
    return told


def knows_tail(parcel: Doc, tail: str) -> bool:
    """True unless this carrier wants the last four digits of a phone and they are wrong."""
    if parcel["shipper"] not in PHONE_TAIL_WANTED or parcel["foreign"]:
        return True
    sides: list[Doc] = [parcel["sender"], parcel["receiver"]]
    return tail in {str(side.get("Mobile") or side.get("Tel"))[-4:] for side in sides}


def keep(page: Page, parcel: Doc) -> Doc:
    """Write the parcel and give it back."""
    page.put(PARCELS, parcel["order_code"], parcel, topic=parcel["logistic_code"])
    return parcel


def fees(weight: float) -> Doc:
    """12 yuan for the first kilogram, 2 for each one begun after it."""
    cost = 12.0 + 2.0 * max(0, -int(-(weight - 1) // 1))
    zero = {"InsureAmount": 0.0, "PackageFee": 0.0, "OverFee": 0.0, "OtherFee": 0.0}
    return {"Weight": weight, "Volume": 0.0, "VolumeWeight": 0.0, "Cost": cost, "TotalFee": cost} | zero


def _new_parcel(world: World, code: str, shipper: str, wish: Doc) -> Doc:
    return {
        "order_code": code,
        "kdn_order_code": f"KDN{world.clock.local():%y%m%d}{number_text(10)}",
        "shipper": shipper,
        "logistic_code": "",
        "old": {},
        "sender": wish.get("Sender", {}),
        "receiver": wish.get("Receiver", {}),
        "goods": [good.get("GoodsName", "") for good in wish.get("Commodity", [])],
        "remark": str(wish.get("Remark") or ""),
        "step": "ordered",
        "pickup_state": "",
        "state": "0",
        "state_ex": "0",
        "traces": [],
        "weight": float(wish.get("Weight") or 1),
        "pickup_code": number_text(4),
        "collected": False,
        "ended": False,
        "foreign": False,
        "ordered_at": plain(world.clock.now()),
    }


def _check_step(parcel: Doc, step: Step) -> None:
    if parcel["ended"]:
        raise Impossible(f"the parcel's journey has ended ({parcel['step']})")
    if step.is_track and not parcel["collected"]:
        raise Impossible("the parcel is not collected yet")


def _with_pickup(world: World, parcel: Doc, name: str, step: Step, more: Doc) -> Doc:
    changed = parcel | {"weight": float(more.get("weight") or parcel["weight"])}
    if step.pickup:
        changed["pickup_state"] = step.pickup
    if name in ("reassigned", "waybill_changed"):
        changed["old"] = {"OldShipperCode": parcel["shipper"], "OldLogisticCode": parcel["logistic_code"]}
        changed["shipper"] = str(more.get("shipper") or parcel["shipper"])
        changed["logistic_code"] = str(more.get("logistic_code") or _waybill(changed["shipper"]))
    elif (step.state or step.pickup == "120") and not parcel["logistic_code"]:
        changed["logistic_code"] = str(more.get("logistic_code") or _waybill(parcel["shipper"]))
    return changed


def _pickup_item(world: World, before: Doc, parcel: Doc, step: Step) -> Doc:
    item: Doc = {
        "OrderCode": parcel["order_code"],
        "KDNOrderCode": parcel["kdn_order_code"],
        "ShipperCode": parcel["shipper"],
        "LogisticCode": parcel["logistic_code"],
        "State": step.pickup,
        "CreateTime": plain(world.clock.now()),
        "Reason": step.says.format(place="谯城"),
        "CallRequestType": "1801",
    }
    if step.pickup in PICKER_STATES:
        item["PickerInfo"] = [_picker(parcel, step.pickup)]
    if step.pickup in FEE_STATES:
        item |= fees(parcel["weight"])
    if parcel["old"] != before["old"]:
        item |= parcel["old"]
    return item


def _picker(parcel: Doc, state: str) -> Doc:
    station = {"StationName": "谯城营业点", "StationTel": "05580000000", "StationAddress": "谯城区测试路1号"}
    if state == "102":
        return station
    person = {"PersonName": "测试快递员", "PersonTel": "13900000999", "PersonCode": "K001"}
    return person | station | {"PickupCode": parcel["pickup_code"]}


def _trace(world: World, step: Step, more: Doc) -> Doc:
    place = str(more.get("place") or "亳州市谯城区")
    return {
        "AcceptTime": plain(world.clock.now()),
        "AcceptStation": step.says.format(place=place),
        "Remark": "",
        "Action": step.state_ex,
        "Location": place,
    }


def _bare(trace: Doc) -> Doc:
    return {name: trace[name] for name in ("AcceptTime", "AcceptStation", "Remark")}


def _waybill(shipper: str) -> str:
    return f"1{number_text(12)}" if shipper == "EMS" else shipper + number_text(13)


def _text(wish: Doc, name: str, longest: int) -> str:
    value: Any = wish.get(name)
    if not isinstance(value, str) or not value:
        raise Refused("101", f"缺少必要参数：{name}")
    if len(value) > longest:
        raise Refused("103", f"{name}超过{longest}字")
    return value
