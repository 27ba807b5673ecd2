"""WeChat Pay's bills of a past day: the trade bill and the fund-flow bill, as CSV behind a short-lived link.

Every value is led by a backtick and the text by a byte-order mark, as in the real files.
"""

import gzip
import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from simulators import wxpay_orders, wxpay_refunds
from simulators.books import Doc, Page
from simulators.clock import SHANGHAI, moment, plain
from simulators.world import World
from simulators.wxpay_seal import PREFIX, Refused

_FILES = "wxpay_files.bill"
_LINK_SECONDS = 300
_TRADE_HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_TRADE_SUM = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
_FLOW_HEAD = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,"
    "备注,业务凭证号"
)
_FLOW_SUM = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"


def trade_bill(world: World, page: Page, day_text: str, kind: str) -> str:
    """The text of the trade bill (ALL, SUCCESS or REFUND); raises Refused."""
    day = _day(world, day_text)
    paid = [] if kind == "REFUND" else _paid(page, day)
    returned = [] if kind == "SUCCESS" else _returned(world, page, day)
    if not paid and not returned:
        raise Refused(400, "NO_STATEMENT_EXIST", "账单文件不存在")
    rows = [(order["success_time"], _paid_row(world, order)) for order in paid]
    rows += [(refund["success_time"], _refund_row(world, page, refund)) for refund in returned]
    income, outgo = _sum(paid), _sum(returned)
    total = (len(rows), yuan(income), yuan(outgo), "0.00", "0.00", yuan(income), yuan(outgo))
    return _csv(_TRADE_HEAD, [row for _, row in sorted(rows, key=_at)], _TRADE_SUM, total)


def fundflow_bill(world: World, page: Page, day_text: str) -> str:
    """The text of the fund-flow bill of the basic account; raises Refused."""
    day = _day(world, day_text)
    paid, returned = _paid(page, day), _returned(world, page, day)
    if not paid and not returned:
        raise Refused(400, "NO_STATEMENT_EXIST", "账单文件不存在")
    moves = [(o["success_time"], o["transaction_id"], "交易", o["amount"], o["out_trade_no"]) for o in paid]
    moves += [(r["success_time"], r["refund_id"], "退款", -r["amount"], r["out_refund_no"]) for r in returned]
    rows, balance = [], 0
    for at, number, name, fen, voucher in sorted(moves, key=_at):
        balance += fen
        sign = "收入" if fen > 0 else "支出"
        money = (sign, yuan(abs(fen)), yuan(balance))
        rows.append((plain(moment(at)), number, number, name, name, *money, "system", "", voucher))
    total = (len(rows), len(paid), yuan(_sum(paid)), len(returned), yuan(_sum(returned)))
    return _csv(_FLOW_HEAD, rows, _FLOW_SUM, total)


def offer(world: World, page: Page, text: str, packed: bool) -> Doc:
    """Keep the file for five minutes and tell its hash and address; the hash is of the unpacked text."""
    token = secrets.token_urlsafe(24)
    expires_at = world.clock.wire_seconds() + _LINK_SECONDS
    page.put(_FILES, token, {"text": text, "packed": packed, "expires_at": expires_at})
    return {
        "hash_type": "SHA1",
        "hash_value": hashlib.sha1(text.encode()).hexdigest(),
        "download_url": f"{world.base_url}{PREFIX}/v3/billdownload/file?token={token}",
    }


def fetch(world: World, page: Page, token: str) -> bytes:
    """The bytes behind a link; raises Refused."""
    file = page.get(_FILES, token)
    if file is None or file["expires_at"] < world.clock.wire_seconds():
        raise Refused(400, "PARAM_ERROR", "token无效或已过期")
    content: bytes = file["text"].encode()
    return gzip.compress(content) if file["packed"] else content


def yuan(fen: int) -> str:
    """``12.34``."""
    return f"{fen // 100}.{fen % 100:02d}"


def _day(world: World, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused(400, "PARAM_ERROR", "参数错误：bill_date") from None
    now = world.clock.local()
    if day >= now.date():
        raise Refused(400, "PARAM_ERROR", "bill_date不能是当天或将来")
    if now < datetime.combine(day + timedelta(days=1), time(10), SHANGHAI):
        raise Refused(400, "STATEMENT_CREATING", "账单生成中，请次日10点后再试")
    return day


def _on(text: str, day: date) -> bool:
    return moment(text).astimezone(SHANGHAI).date() == day


def _paid(page: Page, day: date) -> list[Doc]:
    return [o for o in page.all(wxpay_orders.ORDERS) if o["success_time"] and _on(o["success_time"], day)]


def _returned(world: World, page: Page, day: date) -> list[Doc]:
    known = [
        wxpay_refunds.current(world, page, r["out_refund_no"]) or r for r in page.all(wxpay_refunds.REFUNDS)
    ]
    return [r for r in known if r["status"] == "SUCCESS" and _on(r["success_time"], day)]


def _at(dated: tuple[str, *tuple[object, ...]]) -> str:
    return dated[0]


def _sum(docs: list[Doc]) -> int:
    return sum(doc["amount"] for doc in docs)


def _paid_row(world: World, order: Doc) -> tuple[object, ...]:
    amount = yuan(order["amount"])
    return (
        *_row_start(world, order, order["success_time"], "SUCCESS"),
        *(amount, "0.00", "0", "0", "0.00", "0.00", "", ""),
        *(order["description"], order["attach"], "0.00000", "0.00%", amount, "0.00", ""),
    )


def _refund_row(world: World, page: Page, refund: Doc) -> tuple[object, ...]:
    order = page.get(wxpay_orders.ORDERS, refund["out_trade_no"]) or {}
    back = yuan(refund["amount"])
    return (
        *_row_start(world, order, refund["success_time"], "REFUND"),
        *("0.00", "0.00", refund["refund_id"], refund["out_refund_no"], back, "0.00", "ORIGINAL", "SUCCESS"),
        *(order["description"], order["attach"], "0.00000", "0.00%", "0.00", back, ""),
    )


def _row_start(world: World, order: Doc, at: str, state: str) -> tuple[object, ...]:
    return (
        *(plain(moment(at)), world.keys["WECHAT_APPID"], world.keys["WXPAY_MCHID"], "0", ""),
        *(order["transaction_id"], order["out_trade_no"], order["openid"], order["trade_type"], state),
        *("OTHERS", "CNY"),
    )


def _csv(head: str, rows: Sequence[tuple[object, ...]], sum_head: str, total: tuple[object, ...]) -> str:
    lines = [head, *(_line(row) for row in rows), sum_head, _line(total)]
    return "\ufeff" + "".join(line + "\r\n" for line in lines)


def _line(values: tuple[object, ...]) -> str:
    # The real files do not quote: commas inside a value are taken out.
    return ",".join("`" + str(value).replace(",", " ") for value in values)
