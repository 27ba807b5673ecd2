"""Makers of statements: days nobody else uses, files in the providers' own form, and both read into the books."""

import hashlib
import io
import itertools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select, text

from backend.kernel import clock, ids
from backend.kernel.money import yuan
from backend.runtime.settings import settings
from backend.store.unit import CLOCK, Unit, run_unit
from payments import reconciliation
from payments.channels.port import BillFile
from payments.reconciliation import fetching, tasks
from payments.reconciliation.machine import STATEMENT
from payments.reconciliation.models import Statement
from payments.reconciliation.views import Wish

_days = itertools.count(secrets.randbelow(20) * 60)


def fresh_day() -> date:
    """A day of its own, at noon of which the test goes on."""
    day = date(2003, 1, 1) + timedelta(days=4 * next(_days))
    clock.move_to(clock.at_local(day, 12))
    run_unit(_forget_later_mornings)
    return day


def _forget_later_mornings(u: Unit) -> None:
    """Other tests live in later years: none of their mornings has come yet."""
    earlier = text("UPDATE payments_statement SET reconciled_at = :before WHERE reconciled_at > :now")
    u.session.execute(earlier, {"now": clock.now(), "before": clock.start_of_day(date(2002, 1, 1))})


@dataclass(frozen=True)
class Told:
    """A line as the provider tells it; `back` is the number of a refund."""

    number: str
    fen: int
    back: str = ""
    fee: int = 0
    at: str = "12:00:00"


W_HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
W_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def signed(fen: int) -> str:
    return f"-{yuan(-fen)}" if fen < 0 else yuan(fen)


def wechat_text(day: date, told: Sequence[Told], **twists: str) -> str:
    """WeChat Pay's trade bill; twists replace merchant, day or a sum."""
    merchant = twists.get("merchant", settings().wxpay.mchid)
    rows = []
    for one in told:
        paid, back = ("0.00", yuan(one.fen)) if one.back else (yuan(one.fen), "0.00")
        state = (
            ("rf-" + one.back, one.back, back, "0.00", "ORIGINAL", "SUCCESS")
            if one.back
            else ("0", "0", "0.00", "0.00", "", "")
        )
        rows.append([
            f"{twists.get('day', day)} {one.at}", "wx-app", merchant, "0", "", "tx-" + one.number, one.number, "openid",
            "JSAPI", "REFUND" if one.back else "SUCCESS", "OTHERS", "CNY", paid, "0.00", *state, "不动产登记费", "",
            f"{signed(-one.fee if one.back else one.fee)}000", "0.60%", paid, back, "",
        ])  # fmt: skip
    income, outgo = (yuan(sum(one.fen for one in told if bool(one.back) is back)) for back in (False, True))
    fee = signed(sum(-one.fee if one.back else one.fee for one in told)) + "000"
    sums = [
        str(len(told)),
        twists.get("income", income),
        outgo,
        "0.00",
        fee,
        twists.get("income", income),
        outgo,
    ]
    lines = [W_HEAD, *("`" + ",`".join(row) for row in rows), W_SUMS, "`" + ",`".join(sums)]
    return "\ufeff" + "".join(line + "\r\n" for line in lines)


A_HEAD = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def alipay_text(day: date, told: Sequence[Told], **twists: str) -> str:
    """Alipay's trade bill, unpacked and decoded."""
    merchant = twists.get("merchant", settings().alipay.seller_id)
    framed = twists.get("day", f"{day:%Y年%m月%d日}")
    rows = []
    for one in told:
        fen, word = (-one.fen, "退款") if one.back else (one.fen, "交易")
        at = f"{day} {one.at}"
        rows.append([
            "tx-" + one.number, one.number, word, "不动产登记费", at, at, "", "", "", "", "159******00",
            signed(fen), signed(fen), *["0.00"] * 5, "", "0.00", "0.00", one.back,
            signed(one.fee if one.back else -one.fee), "0.00", "",
        ])  # fmt: skip
    paid = [one.fen for one in told if not one.back]
    back = [one.fen for one in told if one.back]
    lines = [
        "#支付宝业务明细查询", f"#账号：[{merchant}0156]",
        f"#起始日期：[{framed} 00:00:00]   终止日期：[{framed} 24:00:00]", "#-----业务明细列表-----",
        A_HEAD, *(",".join(value + "\t" for value in row) for row in rows), "#-----业务明细列表结束-----",
        f"#交易合计：{len(paid)}笔，商家实收共{twists.get('income', yuan(sum(paid)))}元，商家优惠共0.00元",
        f"#退款合计：{len(back)}笔，商家实收退款共{signed(-sum(back))}元，商家优惠退款共0.00元",
    ]  # fmt: skip
    return "".join(line + "\r\n" for line in lines)


ENCODINGS = {"wechat_pay": "utf-8", "alipay": "gbk"}
WRITERS = {"wechat_pay": wechat_text, "alipay": alipay_text}


def file_of(text: str | bytes, channel: str = "wechat_pay") -> BillFile:
    packed = text if isinstance(text, bytes) else text.encode(ENCODINGS[channel])
    return BillFile(io.BytesIO(packed), ENCODINGS[channel], hashlib.sha256(packed).hexdigest())


def wish(channel: str, day: date) -> Wish:
    """A statement that is wanted."""

    def work(u):
        known = u.session.scalars(
            select(Statement).where(Statement.channel == channel, Statement.day == day)
        ).first()
        if known is None:
            known = Statement(
                id=ids.new_id("stm"), channel=channel, day=day, asked=0, ask_next_at=clock.wire_now()
            )
            known.lines = known.paid_fen = known.returned_fen = known.fee_fen = 0
            u.begin(STATEMENT, known, by=CLOCK, says="等待渠道对账单")
            u.add(known)
        return Wish(known.id, channel, day)

    return run_unit(work)


def reconciled(day: date, told: Sequence[Told], channel: str = "wechat_pay") -> str:
    """Take a statement in and compare it; returns its id."""
    wanted = wish(channel, day)
    assert fetching.take_in(wanted, file_of(WRITERS[channel](day, told), channel)), look(wanted.id).trouble
    assert tasks.compare(wanted)
    return wanted.id


def look(statement_id: str) -> reconciliation.StatementView:
    return run_unit(lambda u: reconciliation.statement_of(u, statement_id))


def found(statement_id: str) -> dict[tuple[str, str], reconciliation.DifferenceView]:
    """Differences of a statement by kind and number."""
    rows = run_unit(lambda u: reconciliation.differences(u, statement_id=statement_id, limit=100))
    return {(row.kind, row.number): row for row in rows}


def settled(statement_id: str) -> list[reconciliation.SettlementView]:
    return run_unit(lambda u: reconciliation.settlements_of(u, statement_id=statement_id))
