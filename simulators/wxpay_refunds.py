"""WeChat Pay's refunds: asked for by the merchant, done a moment later, told by a notice."""

from typing import Any

from simulators import preferences, wxpay_orders, wxpay_seal
from simulators.answers import number_text
from simulators.books import Doc, Page
from simulators.clock import rfc3339
from simulators.world import World
from simulators.wxpay_seal import Refused

REFUNDS = "wxpay.refund"
_EVENTS = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}


def ask_refund(world: World, page: Page, sent: Doc) -> Doc:
    """Accept a refund, or find the one this very request asked for before; raises Refused."""
    out_refund_no = sent.get("out_refund_no")
    if not isinstance(out_refund_no, str) or not 1 <= len(out_refund_no) <= 64:
        raise Refused(400, "PARAM_ERROR", "参数错误：out_refund_no")
    order = _order(world, page, sent)
    amounts = sent.get("amount") or {}
    amount = wxpay_orders.amount_in_fen(amounts.get("refund"), "amount.refund")
    if amounts.get("total") != order["amount"] or amounts.get("currency") != "CNY":
        raise Refused(400, "INVALID_REQUEST", "订单金额与之前请求不一致，请核实后再试")
    known = current(world, page, out_refund_no)
    if known is not None:
        if (known["amount"], known["out_trade_no"]) != (amount, order["out_trade_no"]):
            raise Refused(400, "INVALID_REQUEST", "退款金额与之前请求不一致，请核实后再试")
        return known
    if amount > order["amount"] - _returned(page, order):
        raise Refused(400, "INVALID_REQUEST", "申请退款金额大于可退金额")
    return _write_new(world, page, order, sent, amount)


def current(world: World, page: Page, out_refund_no: str) -> Doc | None:
    """The refund as it stands now: after a moment of PROCESSING it has succeeded."""
    refund = page.get(REFUNDS, out_refund_no)
    if refund is None or refund["status"] != "PROCESSING" or refund["done_at"] is None:
        return refund
    if world.clock.wire_seconds() < refund["done_at"]:
        return refund
    return _keep(page, refund | {"status": "SUCCESS"})


def conclude(world: World, page: Page, refund: Doc, outcome: str) -> Doc:
    """The control desk decides how a refund ends: SUCCESS, ABNORMAL or CLOSED; ABNORMAL is not yet the end."""
    done = refund | {"status": outcome, "success_time": rfc3339(world.clock.now()), "done_at": None}
    _tell(world, page, done, 0.0)
    return _keep(page, done)


def as_answer(refund: Doc) -> Doc:
    """The refund as requests and queries show it."""
    told = {
        name: refund[name]
        for name in ("refund_id", "out_refund_no", "transaction_id", "out_trade_no", "status", "create_time")
    }
    told |= {
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "funds_account": "AVAILABLE",
        "amount": _amounts(refund) | {"currency": "CNY"},
        "promotion_detail": [],
    }
    if refund["status"] == "SUCCESS":
        told["success_time"] = refund["success_time"]
    return told


def _order(world: World, page: Page, sent: Doc) -> Doc:
    if sent.get("transaction_id"):
        order = wxpay_orders.by_transaction(world, page, str(sent["transaction_id"]))
    else:
        order = wxpay_orders.current(world, page, str(sent.get("out_trade_no", "")))
    if order is None:
        raise Refused(404, "RESOURCE_NOT_EXISTS", "订单不存在")
    if order["state"] not in ("SUCCESS", "REFUND"):
        raise Refused(400, "INVALID_REQUEST", "订单未支付，不能退款")
    return order


def _returned(page: Page, order: Doc) -> int:
    lost = ("CLOSED",)
    return sum(
        refund["amount"]
        for refund in page.all(REFUNDS, order["out_trade_no"])
        if refund["status"] not in lost
    )


def _write_new(world: World, page: Page, order: Doc, sent: Doc, amount: int) -> Doc:
    seconds = preferences.read(page)["wxpay_refund_seconds"]
    now = rfc3339(world.clock.now())
    refund = {
        "refund_id": "5030" + number_text(24),
        "out_refund_no": sent["out_refund_no"],
        "transaction_id": order["transaction_id"],
        "out_trade_no": order["out_trade_no"],
        "amount": amount,
        "total": order["amount"],
        "reason": str(sent.get("reason", "")),
        "notify_url": str(sent.get("notify_url", "")),
        "status": "PROCESSING",
        "create_time": now,
        "success_time": now,
        "done_at": None if seconds is None else world.clock.wire_seconds() + seconds,
    }
    _keep(page, refund)
    wxpay_orders.keep(page, order | {"state": "REFUND"})
    if seconds is not None:
        _tell(world, page, refund | {"status": "SUCCESS"}, seconds)
    return refund


def _tell(world: World, page: Page, refund: Doc, seconds: float) -> None:
    if not refund["notify_url"]:
        return
    status = refund["status"]
    resource: dict[str, Any] = {
        name: refund[name] for name in ("transaction_id", "out_trade_no", "refund_id", "out_refund_no")
    }
    resource |= {
        "mchid": world.keys["WXPAY_MCHID"],
        "refund_status": status,
        "user_received_account": "支付用户零钱",
        "amount": _amounts(refund),
    }
    if status == "SUCCESS":
        resource["success_time"] = refund["success_time"]
    notice = wxpay_seal.notice(
        world, f"REFUND.{status}", "refund", _EVENTS[status], refund["notify_url"], resource
    )
    world.outbox.post(page, "wxpay", "refund", refund["out_refund_no"], notice, after_seconds=seconds)


def _amounts(refund: Doc) -> Doc:
    total, back = refund["total"], refund["amount"]
    return {"total": total, "refund": back, "payer_total": total, "payer_refund": back}


def _keep(page: Page, refund: Doc) -> Doc:
    page.put(REFUNDS, refund["out_refund_no"], refund, topic=refund["out_trade_no"])
    return refund
