"""Faults: what the weather does to calls and to letters."""

import json
import time
from collections.abc import Callable

import pytest
import requests
from cryptography.exceptions import InvalidSignature

from tests.simulators.conftest import Outside
from tests.simulators.listener import Letter, say_yes
from tests.simulators.signers import Alipay, WxPay, kdniao, sms
from tests.simulators.test_alipay import approve as alipay_approve
from tests.simulators.test_alipay import create
from tests.simulators.test_kdniao import advance, wish
from tests.simulators.test_wxpay import NOTICES, approve, prepare, state

CODE = {"code": "123456"}


@pytest.fixture
def paid(outside: Outside, wxpay: WxPay) -> Callable[[], None]:
    """Pays an order when called, after the test has ordered its weather."""
    openid = outside.ask("/control/wechat/login", {"phone": "13900000001"})["openid"]
    numbers = iter(range(9))
    return lambda: approve(outside, wxpay, openid, prepare(outside, wxpay, openid, f"order-{next(numbers)}"))


def ids(letters: list[Letter]) -> list[str]:
    return [json.loads(letter.body)["id"] for letter in letters]


def settled(outside: Outside, count: int, seconds: float = 5.0) -> list[str]:
    """The states of the letters once none waits."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        letters = outside.ask("/control/outbox")["letters"]
        if len(letters) == count and all(letter["state"] != "waiting" for letter in letters):
            return [letter["state"] for letter in letters]
        time.sleep(0.02)
    raise AssertionError(f"letters still wait: {letters}")


def test_a_duplicate_is_the_same_notice_twice(outside: Outside, paid: Callable[[], None]) -> None:
    outside.fault("wxpay", "duplicate", "transaction")
    paid()
    first, second = ids(outside.product.wait(2, NOTICES))
    assert first == second


def test_a_dropped_notice_never_comes(outside: Outside, wxpay: WxPay, paid: Callable[[], None]) -> None:
    outside.fault("wxpay", "drop")
    paid()
    assert settled(outside, 1) == ["dropped"]
    assert outside.product.letters == []
    assert state(outside, wxpay, "order-0")["trade_state"] == "SUCCESS"


def test_a_delayed_notice_comes_late(outside: Outside, paid: Callable[[], None]) -> None:
    outside.fault("wxpay", "delay", seconds=0.5)
    paid()
    outside.product.none_more(0, 0.3)
    outside.product.wait(1)


def test_reordered_notices_swap_places(outside: Outside, wxpay: WxPay, paid: Callable[[], None]) -> None:
    outside.fault("wxpay", "reorder")
    paid()
    paid()
    letters = outside.product.wait(2, NOTICES)
    assert [wxpay.resource(each.body)["out_trade_no"] for each in letters] == ["order-1", "order-0"]


@pytest.mark.parametrize("code", ["", "signtest", "stale", "serial"])
def test_a_forgery_goes_before_the_true_notice(
    outside: Outside, wxpay: WxPay, paid: Callable[[], None], code: str
) -> None:
    outside.fault("wxpay", "forged", code=code)
    paid()
    false, true = outside.product.wait(2, NOTICES)
    wxpay.check(true.headers, true.body)
    old = int(time.time()) - int(false.headers["Wechatpay-Timestamp"]) > 300
    try:
        wxpay.check(false.headers, false.body)
    except (InvalidSignature, AssertionError, ValueError):
        assert not old
    else:
        assert code == "stale"
        assert old


def test_a_notice_with_another_amount_is_rightly_signed(
    outside: Outside, wxpay: WxPay, paid: Callable[[], None]
) -> None:
    outside.fault("wxpay", "forged", code="amount")
    paid()
    letters = outside.product.wait(2, NOTICES)
    for letter in letters:
        wxpay.check(letter.headers, letter.body)
    assert [wxpay.resource(letter.body)["amount"]["total"] for letter in letters] == [8001, 8000]


def test_a_forged_alipay_form_does_not_verify(outside: Outside, alipay: Alipay) -> None:
    buyer = outside.ask("/control/alipay/login", {})["open_id"]
    outside.fault("alipay", "forged")
    alipay_approve(outside, create(outside, alipay, buyer)["trade_no"])
    false, true = outside.product.wait(2)
    alipay.check_notice(true.form)
    with pytest.raises(InvalidSignature):
        alipay.check_notice(false.form)


def test_a_refused_notice_is_repeated_until_taken(outside: Outside, paid: Callable[[], None]) -> None:
    moods = iter([500, 503])
    outside.product.answer = lambda letter: (next(moods, 200), "")
    paid()
    assert len(set(ids(outside.product.wait(3)))) == 1
    assert settled(outside, 1) == ["delivered"]


def test_a_notice_is_given_up_at_last(outside: Outside, paid: Callable[[], None]) -> None:
    outside.product.answer = lambda letter: (500, "")
    paid()
    assert settled(outside, 1) == ["given_up"]
    (letter,) = outside.ask("/control/outbox?route=wxpay")["letters"]
    assert [attempt["status"] for attempt in letter["attempts"]] == [500] * 3


@pytest.mark.parametrize("almost", ["SUCCESS", "success ", '"success"', ""])
def test_alipay_wants_exactly_success(outside: Outside, alipay: Alipay, almost: str) -> None:
    buyer = outside.ask("/control/alipay/login", {})["open_id"]
    outside.product.answer = lambda letter: (200, almost)
    alipay_approve(outside, create(outside, alipay, buyer)["trade_no"])
    outside.product.wait(1)
    outside.product.answer = say_yes
    letters = outside.product.wait(2)
    assert len({letter.form["notify_id"] for letter in letters}) == 1


def test_kdniao_repeats_until_success_is_true(outside: Outside) -> None:
    outside.product.answer = lambda letter: (200, '{"Success":false}')
    kdniao(outside.env, "/api/OOrderService", "1801", wish())
    advance(outside, "accepted")
    assert settled(outside, 1) == ["given_up"]


def test_a_five_hundred_before_the_deed_does_nothing(outside: Outside) -> None:
    outside.fault("sms", "5xx", "send")
    with pytest.raises(requests.JSONDecodeError):
        sms(outside.env, "13900000001", "SMS_1001", CODE)
    assert outside.ask("/control/sms/inbox?phone=13900000001")["messages"] == []
    assert sms(outside.env, "13900000001", "SMS_1001", CODE)["Code"] == "OK"


def test_a_five_hundred_after_the_deed_hides_it(outside: Outside) -> None:
    outside.fault("sms", "5xx_after", "send")
    with pytest.raises(requests.JSONDecodeError):
        sms(outside.env, "13900000001", "SMS_1001", CODE)
    assert len(outside.ask("/control/sms/inbox?phone=13900000001")["messages"]) == 1


@pytest.mark.parametrize(("kind", "done"), [("timeout", 0), ("timeout_after", 1)])
def test_a_call_may_hang(outside: Outside, kind: str, done: int) -> None:
    outside.fault("sms", kind, seconds=0.4)
    started = time.monotonic()
    sms_silently(outside)
    assert time.monotonic() - started >= 0.4
    assert len(outside.ask("/control/sms/inbox?phone=13900000001")["messages"]) == done


def sms_silently(outside: Outside) -> None:
    try:
        sms(outside.env, "13900000001", "SMS_1001", CODE)
    except requests.JSONDecodeError:
        return


def test_a_provider_can_be_told_to_refuse(outside: Outside, wxpay: WxPay, alipay: Alipay) -> None:
    outside.fault("wxpay", "refuse", "query", code="FREQUENCY_LIMITED")
    outside.fault("alipay", "refuse")
    assert state(outside, wxpay)["code"] == "FREQUENCY_LIMITED"
    assert alipay.call("alipay.trade.query", {"out_trade_no": "x"})["code"] == "20000"


def test_a_fault_strikes_as_often_as_ordered(outside: Outside, wxpay: WxPay) -> None:
    outside.fault("wxpay", "refuse", "query", times=2, code="SYSTEM_ERROR")
    said = [state(outside, wxpay)["code"] for _ in "123"]
    assert said == ["SYSTEM_ERROR", "SYSTEM_ERROR", "ORDER_NOT_EXIST"]
    assert outside.ask("/control/books/wxpay")["calls"]["query"] == 3


def test_faults_can_be_taken_back(outside: Outside, wxpay: WxPay) -> None:
    outside.fault("wxpay", "5xx", times=9)
    assert outside.ask("/control/faults", method="DELETE") == {"cleared": 1}
    assert state(outside, wxpay)["code"] == "ORDER_NOT_EXIST"


@pytest.mark.parametrize(
    "wrong", [{"kind": "rain"}, {"provider": 7}, {"times": -1}, {"seconds": "long"}, {"times": True}]
)
def test_an_unclear_fault_is_not_ordered(outside: Outside, wrong: dict[str, object]) -> None:
    outside.ask("/control/faults", {"provider": "sms", "kind": "drop"} | wrong, 400)
