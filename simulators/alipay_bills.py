"""Alipay's bills of a past day: a zip of GBK CSV files behind a link that lives 30 seconds."""

import io
import secrets
import zipfile
from datetime import date, datetime, time, timedelta

from simulators import alipay_trades, bill_twists, preferences
from simulators.alipay_seal import Refused, business_refusal
from simulators.alipay_trades import yuan
from simulators.books import Doc, Page
from simulators.clock import SHANGHAI, plain
from simulators.world import World

_FILES = "alipay_files.bill"
_LINK_SECONDS = 30
_TRADE_HEAD = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
_FLOW_HEAD = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,"
    "交易渠道,业务类型,备注"
)
_KINDS = {"trade": ("业务明细", _TRADE_HEAD), "signcustomer": ("账务明细", _FLOW_HEAD)}


def offer(world: World, page: Page, wish: Doc) -> Doc:
    """Where the bill of a day lies; raises Refused."""
    kind, day = str(wish.get("bill_type", "")), _day(world, str(wish.get("bill_date", "")))
    if kind not in _KINDS:
        raise Refused("40004", "isv.invalid-arguments", "参数无效：bill_type")
    moves = _moves(page, day.isoformat())
    if not moves:
        raise business_refusal("isp.bill_not_exist", "账单不存在")
    spoilt = bill_twists.spoiling(page, "alipay", day.isoformat()) or {"kind": "", "count": 0}
    if spoilt["kind"] == "other_day":
        day -= timedelta(days=1)
        moves = [move | {"at": f"{day.isoformat()}{move['at'][10:]}"} for move in moves]
    token = secrets.token_urlsafe(24)
    expires_at = world.clock.wire_seconds() + _LINK_SECONDS
    file = {"kind": kind, "day": day.isoformat(), "moves": moves, "expires_at": expires_at}
    page.put(_FILES, token, file | {"spoilt": spoilt["kind"], "count": spoilt["count"]})
    return {"bill_download_url": f"{world.base_url}/alipay/bill/download?token={token}"}


def fetch(world: World, page: Page, token: str) -> bytes | None:
    """The zip behind a link, or None when the link is dead."""
    file = page.get(_FILES, token)
    if file is None or file["expires_at"] < world.clock.wire_seconds():
        return None
    if file["spoilt"] == "html":
        return "<html><body>系统繁忙</body></html>".encode()
    content = _zip(world, file)
    return content[: len(content) // 2] if file["spoilt"] == "truncated" else content


def _day(world: World, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Refused("40004", "isv.invalid-arguments", "参数无效：bill_date") from None
    if world.clock.local() < datetime.combine(day + timedelta(days=1), time(10), SHANGHAI):
        raise business_refusal("isp.bill_not_exist", "账单次日10点后可下载")
    return day


def _moves(page: Page, day: str) -> list[Doc]:
    """Payments and refunds of a day in order of time, fen signed."""
    ppm, moves = preferences.read(page)["alipay_fee_ppm"], []
    for trade in page.all(alipay_trades.TRADES):
        about = {name: trade[name] for name in ("trade_no", "out_trade_no", "subject", "buyer_logon_id")}
        about |= {"ppm": ppm}
        if trade["paid_at"][:10] == day:
            paid = {"at": trade["paid_at"], "fen": trade["fen"], "request": ""}
            moves.append(about | paid | {"created_at": trade["created_at"]})
        for back in page.all(alipay_trades.REFUNDS, trade["out_trade_no"]):
            if back["at"][:10] == day:
                given = {"at": back["at"], "fen": -back["fen"], "request": back["out_request_no"]}
                moves.append(about | given | {"created_at": trade["created_at"]})
    moves.sort(key=lambda move: str(move["at"]))
    return bill_twists.twisted(page, "alipay", day, moves)


def _zip(world: World, file: Doc) -> bytes:
    """Two members as in the real archive: the lines, and their sums (汇总). Names are GBK, unmarked."""
    name, head = _KINDS[file["kind"]]
    rows = _trade_rows(file["moves"]) if file["kind"] == "trade" else _flow_rows(file["moves"])
    lines = [head, *([""] * file["count"] if file["spoilt"] == "blank_lines" else []), *rows]
    start = f"{_merchant(world, file)}0156_{file['day'].replace('-', '')}_{name}"
    encoding = "utf-8" if file["spoilt"] == "encoding" else "gbk"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for title, text in ((start, _frame(world, name, file, lines)), (f"{start}(汇总)", _sums(file))):
            packed.writestr(_gbk_named(f"{title}.csv"), text.encode(encoding, "replace"))
    return buffer.getvalue()


def _gbk_named(name: str) -> zipfile.ZipInfo:
    """A member whose name is written in GBK without saying so, as Alipay's are."""
    info = _GbkInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


class _GbkInfo(zipfile.ZipInfo):
    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - the library's own name
        return self.filename.encode("gbk"), self.flag_bits & ~0x800


def _merchant(world: World, file: Doc) -> str:
    return "2088000000000000" if file["spoilt"] == "merchant" else world.keys["ALIPAY_SELLER_ID"]


def _sums(file: Doc) -> str:
    paid = [move for move in file["moves"] if move["fen"] > 0]
    return f"#支付宝业务汇总\r\n门店编号,交易订单总笔数\r\n合计,{len(paid)}\r\n"


def _trade_rows(moves: list[Doc]) -> list[str]:
    return [
        _line(
            *(move["trade_no"], move["out_trade_no"], "退款" if move["request"] else "交易", move["subject"]),
            *(move["created_at"], move["at"], "", "", "", "", move["buyer_logon_id"]),
            *(_signed(move["fen"]), _signed(move["fen"])),
            *("0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00", "0.00"),
            *(move["request"], _signed(_fee(move)), "0.00", ""),
        )
        for move in moves
    ]


def _fee(move: Doc) -> int:
    """The provider's fee: below zero on a payment, back again on a refund."""
    fee: int = (abs(move["fen"]) * move["ppm"] + 500_000) // 1_000_000
    return -fee if move["fen"] > 0 else fee


def _flow_rows(moves: list[Doc]) -> list[str]:
    rows, balance = [], 0
    for number, move in enumerate(moves, start=1):
        balance += move["fen"]
        income, outgo = (_signed(move["fen"]), "") if move["fen"] > 0 else ("", _signed(move["fen"]))
        rows.append(
            _line(
                *(f"{move['at'][:10].replace('-', '')}{number:020d}", move["trade_no"], move["out_trade_no"]),
                *(move["subject"], move["at"], move["buyer_logon_id"], income, outgo, _signed(balance)),
                *("支付宝", "交易退款" if move["request"] else "在线支付", ""),
            )
        )
    return rows


def _frame(world: World, name: str, file: Doc, lines: list[str]) -> str:
    year, month, day = file["day"].split("-")
    paid = [move["fen"] for move in file["moves"] if move["fen"] > 0]
    back = [-move["fen"] for move in file["moves"] if move["fen"] < 0]
    total = sum(paid) + (file["spoilt"] == "sums")
    start, end = f"{year}年{month}月{day}日 00:00:00", f"{year}年{month}月{day}日 24:00:00"
    framed = [
        f"#支付宝{name}查询",
        f"#账号：[{_merchant(world, file)}0156]",
        f"#起始日期：[{start}]   终止日期：[{end}]",
        f"#{'-' * 41}{name}列表{'-' * 40}",
        *lines,
        f"#{'-' * 41}{name}列表结束{'-' * 36}",
        f"#交易合计：{len(paid)}笔，商家实收共{yuan(total)}元，商家优惠共0.00元",
        f"#退款合计：{len(back)}笔，商家实收退款共{_signed(-sum(back))}元，商家优惠退款共0.00元",
        f"#导出时间：[{plain(world.clock.now())}]",
    ]
    return "".join(line + "\r\n" for line in framed)


def _line(*values: str) -> str:
    # Every value is followed by a tab, so that spreadsheets leave long numbers alone.
    return ",".join(value.replace(",", " ") + "\t" for value in values)


def _signed(fen: int) -> str:
    return f"-{yuan(-fen)}" if fen < 0 else yuan(fen)
