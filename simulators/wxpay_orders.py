"""WeChat Pay's ledger of orders: opened by the merchant, paid by a person, closed, refunded."""

import re
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from simulators import wechat_accounts, wxpay_seal
from simulators.answers import number_text
from simulators.books import Doc, Page
from simulators.clock import moment, rfc3339
from simulators.world import World
from simulators.wxpay_seal import Refused

ORDERS, PREPAYS, TRANSACTIONS = "wxpay.order", "wxpay.prepay", "wxpay.transaction"
_OUT_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_PREPAY_LIFE = timedelta(hours=2)
_SAYS = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "REFUND": "订单发生过退款",
    "CLOSED": "订单已关闭",
    "PAYERROR": "支付失败(其他原因，如银行返回失败)",
}
_SAME_ORDER = ("description", "notify_url", "amount", "openid", "attach", "time_expire", "trade_type")


def open_order(world: World, page: Page, trade_type: str, sent: Doc) -> Doc:
    """Open an order, or find the one this very request opened before; raises Refused."""
    wish = _checked(world, page, trade_type, sent)
    known = current(world, page, wish["out_trade_no"])
    if known is None:
        return _write_new(world, page, wish)
    if known["state"] == "CLOSED":
        raise Refused(400, "ORDER_CLOSED", "该订单已关闭，请更换商户订单号后重新下单")
    if known["state"] != "NOTPAY":
        raise Refused(400, "ORDERPAID", "该订单已支付")
    if any(known[name] != wish[name] for name in _SAME_ORDER):
        raise Refused(403, "OUT_TRADE_NO_USED", "商户订单号重复，且与首次请求的参数不一致")
    return known


def with_scene(sent: Doc) -> Doc:
    """A browser payment as it came, if it tells where its payer sits; raises Refused."""
    scene = sent.get("scene_info") or {}
    try:
        ip_address(str(scene.get("payer_client_ip", "")))
    except ValueError:
        raise _bad("scene_info.payer_client_ip") from None
    if (scene.get("h5_info") or {}).get("type") not in ("iOS", "Android", "Wap"):
        raise _bad("scene_info.h5_info.type")
    return sent


def current(world: World, page: Page, out_trade_no: str) -> Doc | None:
    """The order as it stands now: one past its time_expire is closed."""
    order = page.get(ORDERS, out_trade_no)
    if order is None or order["state"] != "NOTPAY" or not order["time_expire"]:
        return order
    if world.clock.now() > moment(order["time_expire"]):
        order = keep(page, order | {"state": "CLOSED"})
    return order


def by_transaction(world: World, page: Page, transaction_id: str) -> Doc | None:
    """The order a transaction paid."""
    note = page.get(TRANSACTIONS, transaction_id)
    return None if note is None else current(world, page, note["out_trade_no"])


def by_prepay(world: World, page: Page, prepay_id: str) -> Doc | None:
    """The order a prepay id stands for."""
    note = page.get(PREPAYS, prepay_id)
    return None if note is None else current(world, page, note["out_trade_no"])


def close(page: Page, order: Doc) -> None:
    """Close an unpaid order; raises Refused."""
    if order["state"] == "CLOSED":
        raise Refused(400, "ORDER_CLOSED", "订单已关闭")
    if order["state"] not in ("NOTPAY", "PAYERROR"):
        raise Refused(400, "ORDERPAID", "订单已支付，不能关闭")
    keep(page, order | {"state": "CLOSED"})


def pay(world: World, page: Page, order: Doc, openid: str, decision: str) -> Doc:
    """A person answers the cashier: approve, refuse (nothing happens) or fail (the bank refuses)."""
    if decision == "refuse":
        return order
    if decision == "fail":
        return keep(page, order | {"state": "PAYERROR"})
    transaction_id = "4200" + number_text(24)
    paid = order | {
        "state": "SUCCESS",
        "openid": openid,
        "transaction_id": transaction_id,
        "success_time": rfc3339(world.clock.now()),
    }
    keep(page, paid)
    page.put(TRANSACTIONS, transaction_id, {"out_trade_no": order["out_trade_no"]})
    notice = wxpay_seal.notice(
        world,
        "TRANSACTION.SUCCESS",
        "transaction",
        "支付成功",
        paid["notify_url"],
        as_transaction(world, paid),
    )
    world.outbox.post(page, "wxpay", "transaction", paid["out_trade_no"], notice)
    return paid


def unpayable(world: World, order: Doc) -> str:
    """Why the cashier turns a person away; empty if it does not."""
    if order["state"] not in ("NOTPAY", "PAYERROR"):
        return f"order is {order['state']}"
    if world.clock.now() > moment(order["prepay_expires_at"]):
        return "prepay_id has expired"
    return ""


def keep(page: Page, order: Doc) -> Doc:
    """Write the order and give it back."""
    page.put(ORDERS, order["out_trade_no"], order, topic=order["state"])
    return order


def as_transaction(world: World, order: Doc) -> Doc:
    """The order as queries and notices show it."""
    told: Doc = {
        "appid": world.keys["WECHAT_APPID"],
        "mchid": world.keys["WXPAY_MCHID"],
        "out_trade_no": order["out_trade_no"],
        "trade_state": order["state"],
        "trade_state_desc": _SAYS[order["state"]],
        "promotion_detail": [],
        "amount": {"total": order["amount"], "currency": "CNY"},
    }
    if order["attach"]:
        told["attach"] = order["attach"]
    if order["openid"]:
        told["payer"] = {"openid": order["openid"]}
    if order["transaction_id"]:
        told |= {
            "transaction_id": order["transaction_id"],
            "trade_type": order["trade_type"],
            "bank_type": "OTHERS",
            "success_time": order["success_time"],
        }
        told["amount"] |= {"payer_total": order["amount"], "payer_currency": "CNY"}
    return told


def _write_new(world: World, page: Page, wish: Doc) -> Doc:
    now = world.clock.now()
    order = wish | {
        "prepay_id": f"wx{world.clock.local():%Y%m%d%H%M%S}{number_text(20)}",
        "prepay_expires_at": (now + _PREPAY_LIFE).isoformat(),
        "created_at": now.isoformat(),
        "state": "NOTPAY",
        "transaction_id": "",
        "success_time": "",
    }
    page.put(PREPAYS, order["prepay_id"], {"out_trade_no": order["out_trade_no"]})
    return keep(page, order)


def _checked(world: World, page: Page, trade_type: str, sent: Doc) -> Doc:
    if sent.get("appid") != world.keys["WECHAT_APPID"] or sent.get("mchid") != world.keys["WXPAY_MCHID"]:
        raise Refused(400, "APPID_MCHID_NOT_MATCH", "appid和mchid不匹配，请检查后再试")
    amount = sent.get("amount") or {}
    wish: Doc = {
        "trade_type": trade_type,
        "out_trade_no": _text(sent, "out_trade_no", 32),
        "description": _text(sent, "description", 127),
        "notify_url": _text(sent, "notify_url", 255),
        "attach": str(sent.get("attach", "")),
        "amount": amount_in_fen(amount.get("total"), "amount.total"),
        "openid": _openid(page, sent) if trade_type == "JSAPI" else "",
        "time_expire": _expiry(world, sent),
    }
    if not _OUT_TRADE_NO.fullmatch(wish["out_trade_no"]):
        raise _bad("out_trade_no")
    if "?" in wish["notify_url"] or not wish["notify_url"].startswith(("http://", "https://")):
        raise _bad("notify_url")
    if len(wish["attach"]) > 128 or amount.get("currency", "CNY") != "CNY":
        raise _bad("attach" if len(wish["attach"]) > 128 else "amount.currency")
    return wish


def amount_in_fen(value: Any, field: str) -> int:
    """A whole number of fen, at least 1; raises Refused."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _bad(field)
    return value


def _text(sent: Doc, name: str, longest: int) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise _bad(name)
    return value


def _openid(page: Page, sent: Doc) -> str:
    openid = (sent.get("payer") or {}).get("openid")
    if not isinstance(openid, str) or page.get(wechat_accounts.USERS, openid) is None:
        raise Refused(400, "PARAM_ERROR", "无效的openid")
    return openid


def _expiry(world: World, sent: Doc) -> str:
    text = sent.get("time_expire")
    if text is None:
        return ""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        raise _bad("time_expire") from None
    if at.tzinfo is None or at < world.clock.now() + timedelta(minutes=1):
        raise Refused(400, "PARAM_ERROR", "time_expire过短，至少1分钟后")
    return str(text)


def _bad(field: str) -> Refused:
    return Refused(400, "PARAM_ERROR", f"参数错误：{field}")
