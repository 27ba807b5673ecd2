"""WeChat Pay's bills of a past day: the trade bill and the fund-flow bill, as CSV behind a short-lived link.

Every value is led by a backtick and the text by a byte-order mark, as in the real files.
"""

import gzip
import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from simulators import bill_twists, preferences, wxpay_orders, wxpay_refunds
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


def trade_bill(world: World, page: Page, day_text: str, kind: str) -> Doc:
    """The trade bill (ALL, SUCCESS or REFUND) as {text, spoilt}; raises Refused."""
    day = _day(world, day_text)
    moves = [
        move
        for move in _moves(world, page, day)
        if kind == "ALL" or bool(move["request"]) == (kind == "REFUND")
    ]
    if not moves:
        raise Refused(400, "NO_STATEMENT_EXIST", "账单文件不存在")
    spoilt = bill_twists.spoiling(page, "wxpay", day_text) or {"kind": ""}
    if spoilt["kind"] == "other_day":
        moves = bill_twists.a_day_earlier(moves)
    merchant = "1600000000" if spoilt["kind"] == "merchant" else world.keys["WXPAY_MCHID"]
    rows = [_trade_row(world, merchant, move) for move in moves]
    income, outgo = _sum(moves, 1), _sum(moves, -1) + (spoilt["kind"] == "sums")
    fee = _five(sum(_fee(move) for move in moves))
    total = (len(rows), yuan(income), yuan(outgo), "0.00", fee, yuan(income), yuan(outgo))
    text = _csv(_TRADE_HEAD, rows, _TRADE_SUM, total)
    if spoilt["kind"] == "blank_lines":
        text = text.replace("\r\n", "\r\n" + "\r\n" * spoilt["count"], 1)
    return {"text": text, "spoilt": spoilt["kind"]}


def fundflow_bill(world: World, page: Page, day_text: str) -> Doc:
    """The fund-flow bill of the basic account as {text, spoilt}; raises Refused."""
    moves = _moves(world, page, _day(world, day_text))
    if not moves:
        raise Refused(400, "NO_STATEMENT_EXIST", "账单文件不存在")
    rows, balance = [], 0
    for move in moves:
        balance += move["fen"]
        sign, name = ("收入", "交易") if move["fen"] > 0 else ("支出", "退款")
        number, voucher = move["refund_id"] or move["trade_no"], move["request"] or move["out_trade_no"]
        money = (sign, yuan(abs(move["fen"])), yuan(balance))
        rows.append((plain(moment(move["at"])), number, number, name, name, *money, "system", "", voucher))
    paid = sum(not move["request"] for move in moves)
    total = (len(rows), paid, yuan(_sum(moves, 1)), len(rows) - paid, yuan(_sum(moves, -1)))
    return {"text": _csv(_FLOW_HEAD, rows, _FLOW_SUM, total), "spoilt": ""}


def offer(world: World, page: Page, bill: Doc, packed: bool) -> Doc:
    """Keep the file for five minutes and tell its hash and address; the hash is of the unpacked text."""
    token = secrets.token_urlsafe(24)
    expires_at = world.clock.wire_seconds() + _LINK_SECONDS
    page.put(_FILES, token, bill | {"packed": packed, "expires_at": expires_at})
    hashed = _encoded(bill) + (b"!" if bill["spoilt"] == "wrong_hash" else b"")
    return {
        "hash_type": "SHA1",
        "hash_value": hashlib.sha1(hashed).hexdigest(),
        "download_url": f"{world.base_url}{PREFIX}/v3/billdownload/file?token={token}",
    }


def fetch(world: World, page: Page, token: str) -> bytes:
    """The bytes behind a link; raises Refused."""
    file = page.get(_FILES, token)
    if file is None or file["expires_at"] < world.clock.wire_seconds():
        raise Refused(400, "PARAM_ERROR", "token无效或已过期")
    if file["spoilt"] == "html":
        return "<html><body>系统繁忙</body></html>".encode()
    content = gzip.compress(_encoded(file)) if file["packed"] else _encoded(file)
    return content[: len(content) // 2] if file["spoilt"] == "truncated" else content


def _encoded(bill: Doc) -> bytes:
    text: str = bill["text"]
    return (
        text.removeprefix("\ufeff").encode("gbk", "replace")
        if bill["spoilt"] == "encoding"
        else text.encode()
    )


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


def _moves(world: World, page: Page, day: date) -> list[Doc]:
    """Payments and refunds of a day in order of time, with what the provider kept or gave back of its fee."""
    ppm, moves = preferences.read(page)["wxpay_fee_ppm"], []
    for order in page.all(wxpay_orders.ORDERS):
        about = {
            name: order[name] for name in ("out_trade_no", "openid", "trade_type", "description", "attach")
        }
        about |= {"trade_no": order["transaction_id"], "ppm": ppm}
        if order["success_time"] and _on(order["success_time"], day):
            paid = {"at": order["success_time"], "fen": order["amount"], "request": "", "refund_id": ""}
            moves.append(about | paid)
        for known in page.all(wxpay_refunds.REFUNDS, order["out_trade_no"]):
            back = wxpay_refunds.current(world, page, known["out_refund_no"]) or known
            if back["status"] == "SUCCESS" and _on(back["success_time"], day):
                given = {"at": back["success_time"], "fen": -back["amount"]}
                given |= {"request": back["out_refund_no"], "refund_id": back["refund_id"]}
                moves.append(about | given)
    return bill_twists.twisted(page, "wxpay", day.isoformat(), sorted(moves, key=_moment))


def _moment(move: Doc) -> tuple[str, bool]:
    return str(move["at"]), bool(move["request"])


def _fee(move: Doc) -> int:
    """What the provider kept; below zero when it comes back with a refund."""
    fee: int = (abs(move["fen"]) * move["ppm"] + 500_000) // 1_000_000
    return fee if move["fen"] > 0 else -fee


def _sum(moves: list[Doc], sign: int) -> int:
    return sum(sign * move["fen"] for move in moves if sign * move["fen"] > 0)


def _trade_row(world: World, merchant: str, move: Doc) -> tuple[object, ...]:
    amount, back = yuan(max(move["fen"], 0)), yuan(max(-move["fen"], 0))
    refund: tuple[object, ...] = ("0", "0", "0.00", "0.00", "", "")
    if move["request"]:
        refund = (move["refund_id"], move["request"], back, "0.00", "ORIGINAL", "SUCCESS")
    return (
        *(plain(moment(move["at"])), world.keys["WECHAT_APPID"], merchant, "0", ""),
        *(move["trade_no"], move["out_trade_no"], move["openid"], move["trade_type"]),
        *("REFUND" if move["request"] else "SUCCESS", "OTHERS", "CNY", amount, "0.00", *refund),
        *(move["description"], move["attach"], _five(_fee(move)), f"{move['ppm'] / 10_000:.2f}%"),
        *(amount, back, ""),
    )


def _five(fen: int) -> str:
    """A fee: five decimals."""
    return f"{'-' if fen < 0 else ''}{yuan(abs(fen))}000"


def _csv(head: str, rows: Sequence[tuple[object, ...]], sum_head: str, total: tuple[object, ...]) -> str:
    lines = [head, *(_line(row) for row in rows), sum_head, _line(total)]
    return "\ufeff" + "".join(line + "\r\n" for line in lines)


def _line(values: tuple[object, ...]) -> str:
    # The real files do not quote: commas inside a value are taken out.
    return ",".join("`" + str(value).replace(",", " ") for value in values)
