"""The telephone to kdniao (快递鸟), which passes orders on to the carriers of the country (PROVIDERS §4).

Own client: the package of that name prints its signatures, knows neither 1801 nor 1802, and speaks plain HTTP.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Request

from backend.contracts import Notice
from backend.kernel import clock
from backend.runtime.callbacks import Forged, Reply
from backend.runtime.outbound import Garbled, Refused, Telephone, Unreachable
from backend.runtime.settings import Kdniao as KdniaoSettings
from courier.carriers import kdniao_news as news
from courier.carriers import kdniao_wire as wire
from courier.carriers.kdniao_tables import BUSY, NOT_FOUND, PHONE_TAIL_WANTED
from courier.carriers.port import Contact, Known, PickupOrder, Placed, Waybill

ORDERS, TRACKS = "/api/OOrderService", "/Ebusiness/EbusinessOrderHandle.aspx"
MUNICIPALITIES = ("北京", "上海", "天津", "重庆")
HALF_DAY = 4
"""ShipperType: fetched within half a day, by whichever carrier is nearest."""
MONTHLY_ACCOUNT = 3
"""PayType: the city pays, never the citizen at the door."""
OTHER_REASON = 11
CANCEL_SAYS = {"wrong_address": "地址有误", "changed_mind": "不再寄送", "case_closed": "办件已结束"}


class Kdniao:
    """Orders, cancels, asks and listens."""

    name = "kdniao"

    def __init__(self, settings: KdniaoSettings) -> None:
        self.settings = settings
        self.telephone = Telephone(self.name, settings.base_url)

    def order_pickup(self, order: PickupOrder) -> Placed:
        """Place a pick-up order (1801)."""
        answer = self._ask(ORDERS, "1801", _order_of(order))
        placed = _placed(answer)
        if placed is None:
            raise Garbled(self.name, "an order without a number")
        return placed

    def cancel(self, order_code: str, reason: str) -> None:
        """Call a pick-up off (1802). There will be no push about it."""
        data = {
            "OrderCode": order_code,
            "CancelType": OTHER_REASON,
            "CancelMsg": CANCEL_SAYS.get(reason, "用户取消"),
        }
        self._ask(ORDERS, "1802", data)

    def order_known(self, order_code: str) -> Known:
        """Ask for an order (1804)."""
        try:
            answer = self._ask(ORDERS, "1804", {"OrderCode": order_code})
        except Refused as error:
            if any(word in error.message for word in NOT_FOUND):
                return Known(None)
            raise
        return Known(_placed(answer), cancelled=news.is_called_off(_order_part(answer)))

    def query(self, waybill: Waybill) -> Notice | None:
        """Ask for the traces (8001); where there are none yet, for the state of the pick-up (1804)."""
        return (self._traces(waybill) if waybill.number else None) or self._pickup(waybill.order_code)

    def _traces(self, waybill: Waybill) -> Notice | None:
        data = {
            "OrderCode": waybill.order_code,
            "ShipperCode": waybill.shipper,
            "LogisticCode": waybill.number,
        }
        if waybill.shipper in PHONE_TAIL_WANTED:
            data["CustomerName"] = waybill.phone_tail
        answer = self._ask(TRACKS, "8001", data)
        if not wire.items_of(answer, "Traces"):
            return None
        return news.track_notice("8001", {"OrderCode": waybill.order_code} | answer, b"")

    def _pickup(self, order_code: str) -> Notice | None:
        order = _order_part(self._ask(ORDERS, "1804", {"OrderCode": order_code}))
        if not wire.text_of(order, "State"):
            return None
        return news.pickup_notice({"OrderCode": order_code} | order, b"", "1804")

    def read_notices(self, request: Request, body: bytes) -> Sequence[Notice]:
        """Read a push (101, 102, 103 ...). Raises Forged."""
        try:
            fields = wire.read_form(body)
            text, given = fields["RequestData"], fields["DataSign"]
            if not wire.genuine(text, given, self.settings.api_key):
                raise Forged("the signature is false")
            document = wire.read_json(text)
        except (wire.NotKdniao, KeyError) as error:
            raise Forged("not a push of kdniao") from error
        if not hmac.compare_digest(
            wire.text_of(document, "EBusinessID").encode(), self.settings.ebusiness_id.encode()
        ):
            raise Forged("addressed to somebody else")
        return news.notices_of(fields.get("RequestType", ""), document)

    def acknowledge(self, *, accepted: bool) -> Reply:
        """Their reply form; Success false makes them repeat or give up, as they like."""
        told = {
            "EBusinessID": self.settings.ebusiness_id,
            "UpdateTime": wire.written(clock.now()),
            "Success": accepted,
            "Reason": "" if accepted else "signature or format not accepted",
        }
        return Reply(200, json.dumps(told).encode(), "application/json; charset=utf-8")

    def _ask(self, path: str, request_type: str, data: Mapping[str, object]) -> dict[str, Any]:
        """One signed request. Raises Refused with their code and words, Unreachable when they were too busy."""
        fields = wire.form(self.settings.ebusiness_id, self.settings.api_key, request_type, data)
        response = self.telephone.request("POST", path, data=fields)
        try:
            answer = wire.read_json(response.body)
        except wire.NotKdniao as error:
            raise Garbled(self.name, str(error), str(response.status)) from error
        if answer.get("Success") is not True:
            reason = wire.text_of(answer, "Reason") or "no reason given"
            kind = Unreachable if any(word in reason for word in BUSY) else Refused
            raise kind(self.name, reason, wire.text_of(answer, "ResultCode"))
        return answer


def _order_part(answer: Mapping[str, Any]) -> dict[str, Any]:
    found = wire.items_of(answer, "Order") or wire.items_of(answer, "Data")
    return found[0] if found else dict(answer)


def _placed(answer: Mapping[str, Any]) -> Placed | None:
    order = _order_part(answer)
    number = wire.text_of(order, "KDNOrderCode", "KdnOrderCode")
    waybill, shipper = wire.text_of(order, "LogisticCode"), wire.text_of(order, "ShipperCode")
    return Placed(number, shipper or None, waybill or None) if number else None


def _order_of(order: PickupOrder) -> dict[str, object]:
    return {
        "OrderCode": order.code,
        "ShipperType": HALF_DAY,
        "PayType": MONTHLY_ACCOUNT,
        "ExpType": 1,
        "TransportType": 1,
        "Sender": _side(order.sender),
        "Receiver": _side(order.receiver),
        "Quantity": 1,
        "Weight": 1,
        "Remark": "证照材料，请当面交接",
        "Commodity": [{"GoodsName": wire.plain(name, 40), "GoodsQuantity": 1} for name in order.goods],
    }


def _side(contact: Contact) -> dict[str, str]:
    province = (
        contact.province.removesuffix("市")
        if contact.province.startswith(MUNICIPALITIES)
        else contact.province
    )
    return {
        "Name": wire.plain(contact.name, 30),
        "Tel" if "-" in contact.phone else "Mobile": contact.phone,
        "ProvinceName": province,
        "CityName": contact.city,
        "ExpAreaName": contact.district or contact.city,
        "Address": wire.plain(contact.address, 100),
    }
