"""Alipay's ledger of trades: created by the merchant, paid by a person, closed, refunded, told by notices."""

import json
import re
import secrets
from datetime import timedelta
from decimal import Decimal

from simulators import alipay_accounts
from simulators.alipay_seal import Refused, business_refusal
from simulators.answers import number_text
from simulators.books import Doc, Page
from simulators.clock import from_plain, moment, plain
from simulators.world import World

TRADES, NUMBERS, REFUNDS = "alipay.trade", "alipay.trade_no", "alipay.refund"
_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,2})?")
_TIMEOUT = re.compile(r"(\d+)([mhdc])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "c": timedelta(days=1)}
_SAME_TRADE = ("fen", "subject", "buyer_open_id")


def open_trade(world: World, page: Page, params: dict[str, str], wish: Doc) -> Doc:
    """Open a trade, or find the one opened before with the same words; raises Refused."""
    draft = _checked(world, page, params, wish)
    known = find(world, page, {"out_trade_no": draft["out_trade_no"]})
    if known is None:
        return _write_new(world, page, draft)
    if known["status"] == "TRADE_CLOSED":
        raise business_refusal("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    if known["status"] != "WAIT_BUYER_PAY":
        raise business_refusal("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
    if any(known[name] != draft[name] for name in _SAME_TRADE):
        raise business_refusal("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
    return known


def find(world: World, page: Page, wish: Doc) -> Doc | None:
    """The trade by trade_no or out_trade_no as it stands now: one past its term is closed."""
    note = page.get(NUMBERS, str(wish["trade_no"])) if wish.get("trade_no") else wish
    trade = None if note is None else page.get(TRADES, str(note.get("out_trade_no", "")))
    if (
        trade is None
        or trade["status"] != "WAIT_BUYER_PAY"
        or world.clock.now() <= moment(trade["expires_at"])
    ):
        return trade
    return close(world, page, trade)


def found(world: World, page: Page, wish: Doc) -> Doc:
    """The trade, or ACQ.TRADE_NOT_EXIST."""
    if not wish.get("trade_no") and not wish.get("out_trade_no"):
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "参数无效：out_trade_no和trade_no不能同时为空")
    trade = find(world, page, wish)
    if trade is None:
        raise business_refusal("ACQ.TRADE_NOT_EXIST", "交易不存在")
    return trade


def close(world: World, page: Page, trade: Doc) -> Doc:
    """Close an unpaid trade; raises Refused."""
    if trade["status"] != "WAIT_BUYER_PAY":
        raise business_refusal("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    closed = keep(page, trade | {"status": "TRADE_CLOSED", "closed_at": plain(world.clock.now())})
    _notify(world, page, closed, {})
    return closed


def pay(world: World, page: Page, trade: Doc, decision: str) -> Doc:
    """A person answers the cashier: approve or refuse (nothing happens)."""
    if decision == "refuse":
        return trade
    paid = keep(page, trade | {"status": "TRADE_SUCCESS", "paid_at": plain(world.clock.now())})
    _notify(world, page, paid, {})
    return paid


def refund(world: World, page: Page, wish: Doc) -> Doc:
    """Give money back at once; the same out_request_no does it once. Raises Refused."""
    trade = found(world, page, wish)
    fen = fen_of(wish.get("refund_amount"), "refund_amount")
    number = str(wish.get("out_request_no") or trade["out_trade_no"])
    known = page.get(REFUNDS, f"{trade['out_trade_no']}|{number}")
    if known is not None:
        if known["fen"] != fen:
            raise business_refusal("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
        return as_refund(trade, "N")
    if trade["status"] != "TRADE_SUCCESS":
        raise business_refusal("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    if not wish.get("out_request_no") and fen != trade["fen"]:
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "部分退款须传out_request_no")
    if trade["refunded_fen"] + fen > trade["fen"]:
        raise business_refusal("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
    return as_refund(_write_refund(world, page, trade, number, fen, str(wish.get("refund_reason", ""))), "Y")


def as_trade(trade: Doc) -> Doc:
    """The trade as a query shows it."""
    amount = yuan(trade["fen"])
    told = {
        "trade_no": trade["trade_no"],
        "out_trade_no": trade["out_trade_no"],
        "trade_status": trade["status"],
        "total_amount": amount,
        "buyer_open_id": trade["buyer_open_id"],
        "buyer_logon_id": trade["buyer_logon_id"],
    }
    paid = {"receipt_amount": amount, "buyer_pay_amount": amount, "send_pay_date": trade["paid_at"]}
    return told | (paid if trade["paid_at"] else {"receipt_amount": "0.00", "buyer_pay_amount": "0.00"})


def as_refund(trade: Doc, changed: str) -> Doc:
    """The answer to a refund; ``refund_fee`` is all that went back so far."""
    return {
        "trade_no": trade["trade_no"],
        "out_trade_no": trade["out_trade_no"],
        "buyer_open_id": trade["buyer_open_id"],
        "buyer_logon_id": trade["buyer_logon_id"],
        "fund_change": changed,
        "refund_fee": yuan(trade["refunded_fen"]),
        "gmt_refund_pay": trade["refunded_at"],
    }


def keep(page: Page, trade: Doc) -> Doc:
    """Write the trade and give it back."""
    page.put(TRADES, trade["out_trade_no"], trade, topic=trade["status"])
    return trade


def yuan(fen: int) -> str:
    """``12.34``."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen_of(text: object, field: str) -> int:
    """Fen of a yuan text with at most two decimals, at least 0.01; raises Refused."""
    if not isinstance(text, str | int | float) or not _AMOUNT.fullmatch(str(text)) or Decimal(str(text)) == 0:
        raise Refused("40004", "ACQ.INVALID_PARAMETER", f"参数无效：{field}")
    return int(Decimal(str(text)) * 100)


def _write_new(world: World, page: Page, draft: Doc) -> Doc:
    now = world.clock.now()
    if moment(draft["expires_at"]) <= now:
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "参数无效：time_expire早于当前时间")
    trade = draft | {
        "trade_no": f"{world.clock.local():%Y%m%d}2200{number_text(16)}",
        "status": "WAIT_BUYER_PAY",
        "created_at": plain(now),
        "paid_at": "",
        "closed_at": "",
        "refunded_fen": 0,
        "refunded_at": "",
    }
    page.put(NUMBERS, trade["trade_no"], {"out_trade_no": trade["out_trade_no"]})
    return keep(page, trade)


def _checked(world: World, page: Page, params: dict[str, str], wish: Doc) -> Doc:
    out_trade_no, subject = wish.get("out_trade_no"), wish.get("subject")
    if not isinstance(out_trade_no, str) or not re.fullmatch(r"[0-9A-Za-z_\-]{1,64}", out_trade_no):
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "参数无效：out_trade_no")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 256 or set("/=&") & set(subject):
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "参数无效：subject")
    return {
        "out_trade_no": out_trade_no,
        "subject": subject,
        "body": str(wish.get("body", "")),
        "fen": fen_of(wish.get("total_amount"), "total_amount"),
        "notify_url": params.get("notify_url", ""),
        "return_url": params.get("return_url", ""),
        "passback_params": str(wish.get("passback_params", "")),
        "expires_at": _expiry(world, wish),
    } | _buyer(page, params["method"], wish)


def _buyer(page: Page, method: str, wish: Doc) -> Doc:
    if method == "alipay.trade.wap.pay":
        return {"buyer_open_id": "", "buyer_logon_id": ""}
    if wish.get("product_code") != "JSAPI_PAY" or not wish.get("op_app_id"):
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "参数无效：product_code须为JSAPI_PAY且须传op_app_id")
    user = alipay_accounts.find(page, str(wish.get("buyer_open_id") or wish.get("buyer_id") or ""))
    if user is None:
        raise business_refusal("ACQ.BUYER_NOT_EXIST", "买家不存在")
    return {"buyer_open_id": user["open_id"], "buyer_logon_id": alipay_accounts.logon_id(user)}


def _expiry(world: World, wish: Doc) -> str:
    if wish.get("time_expire"):
        try:
            return from_plain(str(wish["time_expire"])).isoformat()
        except ValueError:
            raise Refused("40004", "ACQ.INVALID_PARAMETER", "参数无效：time_expire") from None
    match = _TIMEOUT.fullmatch(str(wish.get("timeout_express", "15d")))
    if match is None:
        raise Refused("40004", "ACQ.INVALID_PARAMETER", "参数无效：timeout_express")
    return (world.clock.now() + int(match[1]) * _UNITS[match[2]]).isoformat()


def _write_refund(world: World, page: Page, trade: Doc, number: str, fen: int, reason: str) -> Doc:
    at, total = plain(world.clock.now()), trade["refunded_fen"] + fen
    page.put(
        REFUNDS,
        f"{trade['out_trade_no']}|{number}",
        {
            "out_trade_no": trade["out_trade_no"],
            "out_request_no": number,
            "fen": fen,
            "reason": reason,
            "at": at,
        },
        topic=trade["out_trade_no"],
    )
    status = "TRADE_CLOSED" if total == trade["fen"] else trade["status"]
    after = keep(page, trade | {"refunded_fen": total, "refunded_at": at, "status": status})
    _notify(world, page, after, {"refund_fee": yuan(total), "gmt_refund": at + ".000", "out_biz_no": number})
    return after


def _notify(world: World, page: Page, trade: Doc, more: Doc) -> None:
    if not trade["notify_url"]:
        return
    amount, paid = yuan(trade["fen"]), bool(trade["paid_at"])
    fields = {
        "notify_type": "trade_status_sync",
        "notify_id": secrets.token_hex(17),
        "app_id": world.keys["ALIPAY_APPID"],
        "charset": "utf-8",
        "version": "1.0",
        "seller_id": world.keys["ALIPAY_SELLER_ID"],
        "trade_no": trade["trade_no"],
        "out_trade_no": trade["out_trade_no"],
        "trade_status": trade["status"],
        "subject": trade["subject"],
        "total_amount": amount,
        "buyer_open_id": trade["buyer_open_id"],
        "gmt_create": trade["created_at"],
    } | more
    if paid:
        funds = [{"amount": amount, "fundChannel": "ALIPAYACCOUNT"}]
        fields |= {"gmt_payment": trade["paid_at"], "receipt_amount": amount, "buyer_pay_amount": amount}
        fields |= {"fund_bill_list": json.dumps(funds, separators=(",", ":"))}
    if trade["closed_at"]:
        fields["gmt_close"] = trade["closed_at"]
    if trade["passback_params"]:
        fields["passback_params"] = trade["passback_params"]
    verb = "refund" if more else "trade"
    world.outbox.post(
        page, "alipay", verb, trade["out_trade_no"], {"url": trade["notify_url"], "fields": fields}
    )
