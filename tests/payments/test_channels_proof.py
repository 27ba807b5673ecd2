"""A no of WeChat Pay counts like a yes only when it is signed: whoever sits in between decides nothing."""

import logging
from datetime import timedelta

import pytest

from backend.kernel import clock, ids
from backend.runtime import outbound
from backend.store.unit import run_unit
from payments import asking, subjects
from payments.channels import channel, port
from payments.models import Payment
from tests.payments.makers import CLERK

pytestmark = pytest.mark.usefixtures("town")
NOES = {
    404: ("ORDER_NOT_EXIST", "RESOURCE_NOT_EXISTS"),
    400: ("ORDERPAID", "ORDER_CLOSED", "INVALID_REQUEST", "PARAM_ERROR", "NO_STATEMENT_EXIST"),
    403: ("NO_AUTH",),
    401: ("SIGN_ERROR",),
}
EVERY_NO = [(status, code) for status, codes in NOES.items() for code in codes]


def order() -> port.Order:
    later = clock.now() + timedelta(minutes=30)
    return port.Order(f"pay{ids.digits(20)}", "登记费", 8000, "o-payer", later)


VERBS = {
    "prepare": lambda line: line.prepare(order()),
    "query": lambda line: line.query("pay1"),
    "close": lambda line: line.close("pay1"),
    "refund": lambda line: line.refund(port.RefundOrder("rf1", "pay1", 1, 2, "多收")),
    "query_refund": lambda line: line.query_refund("rf1", "pay1"),
    "fetch_bill": lambda line: line.fetch_bill(clock.today() - timedelta(days=3)),
}


@pytest.fixture
def line() -> port.Channel:
    return channel("wechat_pay")


def answers(monkeypatch, status: int, code: str) -> None:
    body = f'{{"code":"{code}","message":"no"}}'.encode()
    monkeypatch.setattr(
        outbound.Telephone,
        "request",
        lambda *_, **__: outbound.Answer(status, {"Wechatpay-Serial": "x"}, body),
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("status", "code"), EVERY_NO)
def test_an_unsigned_no_proves_nothing(line, monkeypatch, verb, status, code):
    answers(monkeypatch, status, code)
    assert isinstance(VERBS[verb](line), port.Unknown)


@pytest.mark.parametrize(("status", "told"), [(401, True), (403, True), (404, False)])
def test_a_signature_nobody_accepts_is_told(line, monkeypatch, caplog, status, told):
    answers(monkeypatch, status, "SIGN_ERROR")
    with caplog.at_level(logging.WARNING):
        line.query("pay1")
    assert ("does not accept our signature" in caplog.text) == told


def test_an_unsigned_no_closes_no_payment(desk, monkeypatch):
    payment = desk.awaiting()
    answers(monkeypatch, 404, "ORDER_NOT_EXIST")
    run_unit(lambda u: subjects.close_live(u, desk.subject, CLERK))
    asking.ask(run_unit(lambda u: asking.silent_one(u.get(Payment, payment.id))))
    assert desk.look(payment).state == "closing"


def test_the_provider_signs_its_noes(line):
    known = order()
    assert isinstance(line.query(known.number), port.Absent)
    assert isinstance(line.refund(port.RefundOrder("rf1", known.number, 1, 2, "多收")), port.Refusal)
