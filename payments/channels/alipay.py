"""Alipay (mini-program and browser) behind our port.

The SDK gives request and model classes only; `AlipayClient` signs, carries and proves. Alipay counts in yuan
with two decimals and in Beijing time; both are translated here.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import IO, Any, Protocol
from urllib.parse import parse_qsl

from alipay.aop.api.domain.AlipayDataDataserviceBillDownloadurlQueryModel import (
    AlipayDataDataserviceBillDownloadurlQueryModel,
)
from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
from alipay.aop.api.domain.AlipayTradeCreateModel import AlipayTradeCreateModel
from alipay.aop.api.domain.AlipayTradeFastpayRefundQueryModel import AlipayTradeFastpayRefundQueryModel
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
from alipay.aop.api.domain.AlipayTradeWapPayModel import AlipayTradeWapPayModel
from alipay.aop.api.request.AlipayDataDataserviceBillDownloadurlQueryRequest import (
    AlipayDataDataserviceBillDownloadurlQueryRequest,
)
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeCreateRequest import AlipayTradeCreateRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay.aop.api.request.AlipayTradeWapPayRequest import AlipayTradeWapPayRequest

from backend.contracts import Notice
from backend.kernel import clock
from backend.kernel.money import MalformedAmount, fen_from_yuan, yuan
from backend.runtime.outbound import Answer, Garbled, OutsideError, Refused
from payments.channels import bill_files, port
from payments.channels.port import Forged, Order, RefundOrder, Reply

OK, BUSINESS_NO = "10000", "40004"
ABSENT_CODES = {"ACQ.TRADE_NOT_EXIST"}
PAID_CODES = {"ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_FINISHED"}
NOT_CLOSABLE_CODES = {"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID"} | PAID_CODES
UNPROVEN_CODES = {"ACQ.SYSTEM_ERROR", "ACQ.SELLER_BALANCE_NOT_ENOUGH", ""}
"""Business answers that say nothing final: the provider is in trouble now, so we ask again later."""
NO_BILL_CODE = "isp.bill_not_exist"
PAID_STATES = {"TRADE_SUCCESS", "TRADE_FINISHED"}
SHUT_STATE = "TRADE_CLOSED"
WINDOW, LEAD = timedelta(hours=26), timedelta(minutes=10)
SUBJECT_FORBIDS = str.maketrans("/=&", "   ")


class Account(Protocol):
    """The merchant's side: what ALIPAY_* settings hold and this file needs."""

    @property
    def appid(self) -> str: ...
    @property
    def seller_id(self) -> str: ...


class Client(Protocol):
    """The signed line to the gateway (`backend.runtime.alipay_client`)."""

    def execute(self, request: Any) -> Mapping[str, Any]: ...
    def verify_notify(self, form: Mapping[str, str]) -> bool: ...
    def link(self, request: Any) -> str: ...
    def download(self, address: str, into: IO[bytes], most: int) -> Answer: ...


class AlipayChannel:
    """One merchant, one application."""

    name = "alipay"
    platform = "alipay"

    def __init__(self, account: Account, client: Client, callbacks: str, bill_most: int = 2**31) -> None:
        """`callbacks` is the address under which providers reach us, without the channel's name."""
        self.account, self._client, self._bill_most = account, client, bill_most
        self._notify_url = f"{callbacks}/alipay"

    def prepare(self, order: Order) -> port.Prepared:
        if order.product == port.H5:
            return self._cashier(order)
        model = _filled(AlipayTradeCreateModel(), order)
        model.product_code = "JSAPI_PAY"
        model.op_app_id = self.account.appid
        model.buyer_open_id = order.payer_account
        request = AlipayTradeCreateRequest(biz_model=model)
        request.notify_url = self._notify_url
        answer = self._ask(request)
        if answer.get("code") == OK and answer.get("trade_no"):
            return port.Ticket(str(answer["trade_no"]))
        return port.AlreadyPaid() if _sub_code(answer) in PAID_CODES else _refusal(answer)

    def _cashier(self, order: Order) -> port.Ticket:
        """Nobody is asked: the browser itself brings the signed order, and the trade exists from then on."""
        model = _filled(AlipayTradeWapPayModel(), order)
        model.product_code, model.quit_url = "QUICK_WAP_WAY", order.return_url
        request = AlipayTradeWapPayRequest(biz_model=model)
        request.notify_url, request.return_url = self._notify_url, order.return_url
        return port.Ticket(self._client.link(request))

    def client_parameters(self, ticket: str, product: str = port.MINI) -> Mapping[str, str]:
        return {"url": ticket} if product == port.H5 else {"tradeNO": ticket}

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        form = _form(body)
        if not self._client.verify_notify(form) or not form.get("notify_id"):
            raise Forged("the signature does not fit")
        if not _is_timely(form):
            raise Forged("sent too long ago, or in the future")
        ours = (form.get("app_id"), form.get("seller_id")) == (self.account.appid, self.account.seller_id)
        facts: dict[str, Any] = {port.OURS: ours, port.REFERENCE: form.get("trade_no", "")}
        if form.get("gmt_refund") and form.get("out_biz_no"):
            # Alipay names the sum of all refunds so far, not the amount of this one.
            facts[port.RETURNED_SO_FAR] = _fen(form.get("refund_fee"))
            return _notice(form, body, form["out_biz_no"], "refund_succeeded", "gmt_refund", None, facts)
        amount = _fen(form.get("total_amount"))
        return _notice(form, body, form.get("out_trade_no", ""), _trigger(form), "gmt_payment", amount, facts)

    def acknowledge(self, *, accepted: bool) -> Reply:
        return Reply(200, b"success", "text/plain") if accepted else Reply(400, b"failure", "text/plain")

    def query(self, number: str) -> port.Found:
        model = AlipayTradeQueryModel()
        model.out_trade_no = number
        answer = self._ask(AlipayTradeQueryRequest(biz_model=model))
        if _sub_code(answer) in ABSENT_CODES:
            return port.Absent()
        if answer.get("code") != OK or answer.get("out_trade_no") != number:
            return _unknown(answer)
        return _found(answer)

    def close(self, number: str) -> port.Closing:
        model = AlipayTradeCloseModel()
        model.out_trade_no = number
        answer = self._ask(AlipayTradeCloseRequest(biz_model=model))
        if answer.get("code") == OK:
            return port.Shut()
        if _sub_code(answer) in NOT_CLOSABLE_CODES:
            return port.AlreadyPaid()
        return port.Absent() if _sub_code(answer) in ABSENT_CODES else _unknown(answer)

    def refund(self, order: RefundOrder) -> port.RefundNews:
        model = AlipayTradeRefundModel()
        model.out_trade_no = order.payment_number
        model.out_request_no = order.number
        model.refund_amount = yuan(order.amount_fen)
        model.refund_reason = order.reason
        answer = self._ask(AlipayTradeRefundRequest(biz_model=model))
        if answer.get("code") != OK:
            return _refusal(answer)
        if answer.get("fund_change") != "Y":
            return port.RefundPending()
        moment = _beijing(answer.get("gmt_refund_pay"))
        return port.RefundDone(str(answer.get("trade_no", "")), order.amount_fen, moment, _raw(answer))

    def query_refund(self, number: str, payment_number: str) -> port.RefundNews:
        model = AlipayTradeFastpayRefundQueryModel()
        model.out_trade_no, model.out_request_no = payment_number, number
        model.query_options = ["gmt_refund_pay"]
        answer = self._ask(AlipayTradeFastpayRefundQueryRequest(biz_model=model))
        if answer.get("code") != OK:
            return port.Absent() if _sub_code(answer) in ABSENT_CODES else _unknown(answer)
        if answer.get("refund_status", "") == "REFUND_SUCCESS":
            amount, moment = _fen(answer.get("refund_amount")), _beijing(answer.get("gmt_refund_pay"))
            return port.RefundDone(str(answer.get("trade_no", "")), amount, moment, _raw(answer))
        # Alipay answers 10000 with nothing in it for a refund it has never heard of.
        return port.RefundPending() if answer.get("refund_status") else port.Absent()

    def fetch_bill(self, day: date) -> port.DayBill:
        if not bill_files.is_promised(day):
            return port.NotYet()
        model = AlipayDataDataserviceBillDownloadurlQueryModel()
        model.bill_type, model.bill_date = "trade", day.isoformat()
        answer = self._ask(AlipayDataDataserviceBillDownloadurlQueryRequest(biz_model=model))
        if answer.get("sub_code") == NO_BILL_CODE:
            return port.NoBill()
        if answer.get("code") != OK:
            return _unknown(answer)
        with bill_files.scratch() as packed:
            try:
                got = self._client.download(
                    str(answer.get("bill_download_url")), packed, bill_files.PACKED_MOST
                )
            except Garbled as garbled:
                return port.Corrupt(garbled.message)
            except OutsideError as trouble:
                return port.Unknown(str(trouble))
            if got.status != 200:
                return port.Unknown(f"the file was not given: {got.status}")
            # Beside the lines lies a table of their sums (汇总).
            return bill_files.unzipped(packed, "gbk", self._bill_most, ending=".csv", but="汇总")

    def _ask(self, request: Any) -> Mapping[str, Any]:
        """The answer's fields; none of them when no answer came or it does not prove its origin."""
        try:
            return self._client.execute(request)
        except Refused as no:
            return {"code": BUSINESS_NO, "sub_code": no.code, "sub_msg": no.message}
        except OutsideError as trouble:
            return {"msg": str(trouble)}


def _filled(model: Any, order: Order) -> Any:
    """What both products are told about an order."""
    model.out_trade_no = order.number
    model.total_amount = yuan(order.amount_fen)
    model.subject = order.title.translate(SUBJECT_FORBIDS)
    model.time_expire = clock.local(order.expires_at).strftime("%Y-%m-%d %H:%M:%S")
    return model


def _form(body: bytes) -> dict[str, str]:
    try:
        told = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=100
        )
    except ValueError as error:
        raise Forged("not a form") from error
    form = dict(told)
    if len(form) != len(told):
        raise Forged("a field that is told twice")
    return form


def _is_timely(form: Mapping[str, str]) -> bool:
    """Alipay repeats a notice for 25 hours; `notify_time` is when it was sent."""
    sent = _beijing(form.get("notify_time"))
    return sent is None or -LEAD < clock.now() - sent < WINDOW


def _notice(
    form: Mapping[str, str], body: bytes, subject: str, trigger: str, when: str,
    amount_fen: int | None, facts: Mapping[str, Any],
) -> Notice:  # fmt: skip
    moment = _beijing(form.get(when))
    key = port.envelope_key(form["notify_id"], trigger, amount_fen, ours=bool(facts[port.OURS]))
    return Notice("alipay", key, subject, trigger, moment, amount_fen, facts, body)


def _trigger(form: Mapping[str, str]) -> str:
    state = form.get("trade_status")
    if state in PAID_STATES:
        return "succeeded"
    # A paid trade closes too, when all of it went back: only an unpaid one is news of closing.
    return "closed" if state == SHUT_STATE and not form.get("gmt_payment") else "waiting"


def _found(answer: Mapping[str, Any]) -> port.Found:
    state, paid_at = answer.get("trade_status"), _beijing(answer.get("send_pay_date"))
    if state in PAID_STATES or (state == SHUT_STATE and paid_at):
        # The query itself was ours: the gateway answers each merchant about its own trades only.
        amount = _fen(answer.get("total_amount"))
        return port.Paid(str(answer.get("trade_no", "")), amount, paid_at, ours=True, raw=_raw(answer))
    return port.Shut() if state == SHUT_STATE else port.Waiting()


def _fen(text: Any) -> int | None:
    try:
        return fen_from_yuan(text) if isinstance(text, str | Decimal) else None
    except MalformedAmount:
        return None


def _beijing(text: Any) -> datetime | None:
    try:
        naive = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    at = naive.replace(tzinfo=clock.SHANGHAI) if naive.tzinfo is None else naive
    return at.astimezone(UTC)


def _raw(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()


def _sub_code(answer: Mapping[str, Any]) -> str:
    """The trade's own reason (ACQ.…). Others, such as a wrong signature, are trouble of ours and prove nothing."""
    code = str(answer.get("sub_code", ""))
    return code if answer.get("code") == BUSINESS_NO and code.startswith("ACQ.") else ""


def _unknown(answer: Mapping[str, Any]) -> port.Unknown:
    told = (answer.get("code"), answer.get("sub_code"), answer.get("msg"))
    return port.Unknown(" ".join(str(word) for word in told if word))


def _refusal(answer: Mapping[str, Any]) -> port.Refusal | port.Unknown:
    """Only a signed business answer is a no; everything else is Unknown."""
    code = _sub_code(answer)
    if code in UNPROVEN_CODES:
        return _unknown(answer)
    return port.Refusal(code, str(answer.get("sub_msg", "")))
