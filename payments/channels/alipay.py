"""Alipay (mini-program trade) behind our port.

The SDK gives request and model classes only; `AlipayClient` signs, carries and proves. Alipay counts in yuan
with two decimals and in Beijing time; both are translated here.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import parse_qsl

from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
from alipay.aop.api.domain.AlipayTradeCreateModel import AlipayTradeCreateModel
from alipay.aop.api.domain.AlipayTradeFastpayRefundQueryModel import AlipayTradeFastpayRefundQueryModel
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeCreateRequest import AlipayTradeCreateRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest

from backend.contracts import Notice
from backend.kernel import clock
from backend.kernel.money import MalformedAmount, fen_from_yuan, yuan
from backend.runtime.outbound import OutsideError, Refused
from payments.channels import port
from payments.channels.port import Forged, Order, RefundOrder, Reply

OK, BUSINESS_NO = "10000", "40004"
ABSENT_CODES = {"ACQ.TRADE_NOT_EXIST"}
PAID_CODES = {"ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_FINISHED"}
NOT_CLOSABLE_CODES = {"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID"} | PAID_CODES
UNPROVEN_CODES = {"ACQ.SYSTEM_ERROR", "ACQ.SELLER_BALANCE_NOT_ENOUGH", ""}
"""Business answers that say nothing final: the provider is in trouble now, so we ask again later."""
PAID_STATES = {"TRADE_SUCCESS", "TRADE_FINISHED"}
SHUT_STATE = "TRADE_CLOSED"
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


class AlipayChannel:
    """One merchant, one mini-program."""

    name = "alipay"
    platform = "alipay"

    def __init__(self, account: Account, client: Client, callbacks: str) -> None:
        """`callbacks` is the address under which providers reach us, without the channel's name."""
        self.account, self._client = account, client
        self._notify_url = f"{callbacks}/alipay"

    def prepare(self, order: Order) -> port.Prepared:
        model = AlipayTradeCreateModel()
        model.out_trade_no = order.number
        model.total_amount = yuan(order.amount_fen)
        model.subject = order.title.translate(SUBJECT_FORBIDS)
        model.product_code = "JSAPI_PAY"
        model.op_app_id = self.account.appid
        model.buyer_open_id = order.payer_account
        model.time_expire = clock.local(order.expires_at).strftime("%Y-%m-%d %H:%M:%S")
        request = AlipayTradeCreateRequest(biz_model=model)
        request.notify_url = self._notify_url
        answer = self._ask(request)
        if answer.get("code") == OK and answer.get("trade_no"):
            return port.Ticket(str(answer["trade_no"]))
        return port.AlreadyPaid() if _sub_code(answer) in PAID_CODES else _refusal(answer)

    def client_parameters(self, ticket: str) -> Mapping[str, str]:
        return {"tradeNO": ticket}

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        form = _form(body)
        if not self._client.verify_notify(form) or not form.get("notify_id"):
            raise Forged("the signature does not fit")
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

    def _ask(self, request: Any) -> Mapping[str, Any]:
        """The answer's fields; none of them when no answer came or it does not prove its origin."""
        try:
            return self._client.execute(request)
        except Refused as no:
            return {"code": BUSINESS_NO, "sub_code": no.code, "sub_msg": no.message}
        except OutsideError as trouble:
            return {"msg": str(trouble)}


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(
            parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=100)
        )
    except ValueError as error:
        raise Forged("not a form") from error


def _notice(
    form: Mapping[str, str], body: bytes, subject: str, trigger: str, when: str,
    amount_fen: int | None, facts: Mapping[str, Any],
) -> Notice:  # fmt: skip
    moment = _beijing(form.get(when))
    key = f"{form['notify_id'][:100]}:{trigger}:{amount_fen}"
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
