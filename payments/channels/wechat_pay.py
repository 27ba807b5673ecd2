"""WeChat Pay v3 (mini-program and browser), public-key mode, behind our port.

The wechatpayv3 package builds paths and bodies and signs them; `wechat_line` carries and proves them.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from wechatpayv3 import WeChatPay, WeChatPayType

from backend.contracts import Notice
from backend.kernel import clock, ids
from backend.runtime import papers
from backend.runtime.outbound import Garbled, OutsideError
from payments.channels import bill_files, port
from payments.channels.port import Forged, Order, RefundOrder, Reply
from payments.channels.wechat_line import Account, Line, Seal, as_pem, object_in

CURRENCY = "CNY"

PAID_STATES = {"SUCCESS", "REFUND"}
"""REFUND: the money came and part of it went back since."""
SHUT_STATES = {"CLOSED", "REVOKED"}
TRIGGERS = dict.fromkeys(PAID_STATES, "succeeded") | dict.fromkeys(SHUT_STATES, "closed")
REFUND_TRIGGERS = {"SUCCESS": "refund_succeeded", "CLOSED": "refund_failed", "ABNORMAL": "refund_stuck"}
"""ABNORMAL: the payer's account takes nothing. The provider still counts it, and no other number may replace it."""

ABSENT_CODES = {"ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS"}
PAID_CODES = {"ORDERPAID", "ORDER_PAID"}
SHUT_CODES = {"ORDER_CLOSED", "ORDERCLOSED"}
UNPROVEN_CODES = {"SYSTEM_ERROR", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "SIGN_ERROR", "NOT_ENOUGH", ""}
"""These say nothing about the order: the provider or our set-up is in trouble, so we ask again later."""
NO_BILL_CODES, CREATING_CODES = {"NO_STATEMENT_EXIST"}, {"STATEMENT_CREATING"}


class WeChatPayChannel:
    """One merchant, one mini-program. Keys are read once."""

    name = "wechat_pay"
    platform = "wechat"

    def __init__(self, account: Account, appid: str, callbacks: str, bill_most: int = 2**31) -> None:
        """`callbacks` is the address under which providers reach us, without the channel's name."""
        self.mchid, self.appid, self._bill_most = account.mchid, appid, bill_most
        self._seal = Seal(account)
        self._notify_url = f"{callbacks}/wechat_pay"
        self._refund_notify_url = f"{callbacks}/wechat_pay_refund"
        self._line = Line(account, self._seal)
        self._sdk = WeChatPay(
            wechatpay_type=WeChatPayType.MINIPROG,
            mchid=account.mchid,
            private_key=as_pem(papers.private_key(Path(account.merchant_key_file).read_bytes())),
            cert_serial_no=account.merchant_serial,
            appid=appid,
            apiv3_key=account.apiv3_key,
            notify_url=self._notify_url,
            public_key=Path(papers.several(account.public_key_file)[0]).read_text("utf-8"),
            public_key_id=papers.several(account.public_key_id)[0],
        )
        # From here on the package only builds paths and bodies: the line carries, signs and proves.
        self._sdk._core = self._line

    def prepare(self, order: Order) -> port.Prepared:
        status, answer = self._call(
            self._sdk.pay,
            description=order.title,
            out_trade_no=order.number,
            amount={"total": order.amount_fen, "currency": CURRENCY},
            time_expire=clock.local(order.expires_at).isoformat(timespec="seconds"),
            **_payer(order),
        )
        named = answer.get("h5_url" if order.product == port.H5 else "prepay_id")
        if status == 200 and isinstance(named, str):
            return port.Ticket(_with_return(named, order.return_url) if order.product == port.H5 else named)
        if _code(answer) in PAID_CODES:
            return port.AlreadyPaid()
        return _refusal(status, answer)

    def client_parameters(self, ticket: str, product: str = port.MINI) -> Mapping[str, str]:
        if product == port.H5:
            return {"url": ticket}
        stamp, nonce, package = str(int(clock.wire_seconds())), ids.token()[:32], f"prepay_id={ticket}"
        signature = self._sdk.sign([self.appid, stamp, nonce, package])
        return {
            "timeStamp": stamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": signature,
        }

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        self._seal.prove(headers, body)
        envelope = object_in(body)
        if not isinstance(envelope.get("id"), str) or len(envelope["id"]) > 64:
            raise Forged("the notice has no id")
        news = self._seal.open(envelope)
        if "out_refund_no" in news:
            return self._refund_notice(envelope["id"], news, body)
        return self._payment_notice(envelope["id"], news, body)

    def acknowledge(self, *, accepted: bool) -> Reply:
        if accepted:
            return Reply(204, b"")
        return Reply(400, b'{"code":"FAIL","message":"not accepted"}')

    def query(self, number: str) -> port.Found:
        status, answer = self._call(self._sdk.query, out_trade_no=number)
        if status == 404 and _code(answer) in ABSENT_CODES:
            return port.Absent()
        if status != 200:
            return _unknown(status, answer)
        return self._found(number, answer)

    def close(self, number: str) -> port.Closing:
        status, answer = self._call(self._sdk.close, out_trade_no=number)
        if status in (200, 204) or _code(answer) in SHUT_CODES:
            return port.Shut()
        if _code(answer) in PAID_CODES:
            return port.AlreadyPaid()
        return port.Absent() if _code(answer) in ABSENT_CODES else _unknown(status, answer)

    def refund(self, order: RefundOrder) -> port.RefundNews:
        status, answer = self._call(
            self._sdk.refund,
            out_refund_no=order.number,
            out_trade_no=order.payment_number,
            amount={"refund": order.amount_fen, "total": order.paid_fen, "currency": CURRENCY},
            reason=order.reason[:80],
            notify_url=self._refund_notify_url,
        )
        return _refund_news(answer) if status == 200 else _refusal(status, answer)

    def query_refund(self, number: str, payment_number: str) -> port.RefundNews:
        status, answer = self._call(self._sdk.query_refund, out_refund_no=number)
        if status == 404 and _code(answer) in ABSENT_CODES:
            return port.Absent()
        return _refund_news(answer) if status == 200 else _unknown(status, answer)

    def fetch_bill(self, day: date) -> port.DayBill:
        if not bill_files.is_promised(day):
            return port.NotYet()
        status, answer = self._call(self._sdk.trade_bill, bill_date=day.isoformat())
        if _code(answer) in NO_BILL_CODES:
            return port.NoBill()
        if _code(answer) in CREATING_CODES:
            return port.NotYet()
        if status != 200 or answer.get("hash_type") != "SHA1":
            return _unknown(status, answer)
        return self._downloaded(str(answer.get("download_url", "")), str(answer.get("hash_value") or "none"))

    def _downloaded(self, address: str, declared: str) -> port.DayBill:
        with bill_files.scratch() as packed:
            try:
                answer = self._line.download(address, packed, bill_files.PACKED_MOST)
            except Garbled as garbled:
                return port.Corrupt(garbled.message)
            except OutsideError as trouble:
                return port.Unknown(str(trouble))
            if answer.status != 200:
                return port.Unknown(f"the file was not given: {answer.status}")
            return bill_files.gunzipped(packed, "utf-8-sig", self._bill_most, declared)

    def _found(self, number: str, answer: Mapping[str, Any]) -> port.Found:
        state = answer.get("trade_state")
        if answer.get("out_trade_no") != number:
            return port.Unknown("the answer speaks of another order")
        if state in PAID_STATES:
            return port.Paid(
                reference=str(answer.get("transaction_id", "")),
                amount_fen=_fen(answer.get("amount"), "total"),
                paid_at=_moment(answer.get("success_time")),
                ours=self._is_ours(answer),
                raw=json.dumps(answer).encode(),
            )
        return port.Shut() if state in SHUT_STATES else port.Waiting()

    def _payment_notice(self, key: str, news: Mapping[str, Any], raw: bytes) -> Notice:
        trigger, amount = (
            TRIGGERS.get(str(news.get("trade_state")), "waiting"),
            _fen(news.get("amount"), "total"),
        )
        ours = self._is_ours(news)
        return Notice(
            provider=self.name,
            key=port.envelope_key(key, trigger, amount, ours=ours),
            subject=str(news.get("out_trade_no", "")),
            trigger=trigger,
            occurred_at=_moment(news.get("success_time")),
            amount_fen=amount,
            facts={port.OURS: ours, port.REFERENCE: str(news.get("transaction_id", ""))},
            raw=raw,
        )

    def _refund_notice(self, key: str, news: Mapping[str, Any], raw: bytes) -> Notice:
        trigger = REFUND_TRIGGERS.get(str(news.get("refund_status")), "waiting")
        amount = _fen(news.get("amount"), "refund")
        ours = news.get("mchid") == self.mchid
        return Notice(
            provider=self.name,
            key=port.envelope_key(key, trigger, amount, ours=ours),
            subject=str(news.get("out_refund_no", "")),
            trigger=trigger,
            occurred_at=_moment(news.get("success_time")),
            amount_fen=amount,
            facts={port.OURS: ours, port.REFERENCE: str(news.get("refund_id", ""))},
            raw=raw,
        )

    def _is_ours(self, news: Mapping[str, Any]) -> bool:
        return (news.get("mchid"), news.get("appid")) == (self.mchid, self.appid)

    def _call(self, verb: Any, **words: Any) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON of an answer; (0, {}) when none came or it does not prove its origin."""
        try:
            status, body = verb(**words)
            return status, object_in(body) if body else {}
        except (OutsideError, Forged) as trouble:
            return 0, {"message": str(trouble)}


def _payer(order: Order) -> dict[str, Any]:
    """Who pays, as each product wants to know it."""
    if order.product == port.H5:
        scene = {"payer_client_ip": order.payer_ip, "h5_info": {"type": "Wap"}}
        return {"pay_type": WeChatPayType.H5, "scene_info": scene}
    return {"payer": {"openid": order.payer_account}}


def _with_return(address: str, return_url: str) -> str:
    return f"{address}&redirect_url={quote(return_url, safe='')}" if return_url else address


def _fen(amount: Any, name: str) -> int | None:
    """Whole fen of our currency, else None: a float or another currency is never compared."""
    if not isinstance(amount, dict) or amount.get("currency", CURRENCY) != CURRENCY:
        return None
    value = amount.get(name)
    return value if type(value) is int else None


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else None


def _code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("code", ""))


def _refund_news(answer: Mapping[str, Any]) -> port.RefundNews:
    trigger = REFUND_TRIGGERS.get(str(answer.get("status")))
    if trigger == "refund_failed":
        return port.Refusal(str(answer["status"]), "the channel could not return the money")
    if trigger == "refund_stuck":
        return port.RefundStuck()
    if trigger is None:
        return port.RefundPending()
    return port.RefundDone(
        reference=str(answer.get("refund_id", "")),
        amount_fen=_fen(answer.get("amount"), "refund"),
        returned_at=_moment(answer.get("success_time")),
        raw=json.dumps(answer).encode(),
    )


def _unknown(status: int, answer: Mapping[str, Any]) -> port.Unknown:
    return port.Unknown(f"{status} {_code(answer)} {answer.get('message', '')}".strip())


def _refusal(status: int, answer: Mapping[str, Any]) -> port.Refusal | port.Unknown:
    """A no that stays a no. Whatever only says that somebody is in trouble now is Unknown."""
    if status < 400 or status >= 500 or _code(answer) in UNPROVEN_CODES:
        return _unknown(status, answer)
    return port.Refusal(_code(answer), str(answer.get("message", "")))
