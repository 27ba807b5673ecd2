import secrets
from datetime import timedelta
from typing import Any

import pytest

from tests.simulators.conftest import Outside
from tests.simulators.signers import fiscal


def wish(**changes: Any) -> dict[str, Any]:
    told = {
        "request_no": f"rc-{secrets.token_hex(12)}",
        "unit": {"code": "3416001", "name": "测试交警支队", "region": "341602"},
        "payer": "测试甲", "kind": "fine", "item": "机动车违反规定停放", "amount_fen": 10_000,
        "paid_on": "2026-11-22",
    }  # fmt: skip
    return told | changes


def issued(outside: Outside, **changes: Any) -> dict[str, Any]:
    answer = fiscal(outside.env, "/v1/receipts", wish(**changes))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def verified(outside: Outside, receipt: dict[str, Any], **changes: Any) -> dict[str, Any]:
    asked = {name: receipt[name] for name in ("code", "number", "check_code")} | changes
    return dict(fiscal(outside.env, "/v1/receipts/verify", asked).json())


def test_codes_tell_region_class_kind_and_year(outside: Outside) -> None:
    outside.move_clock(timedelta(days=730))
    fine, fee = issued(outside), issued(outside, kind="fee")
    years = {fine["code"][6:], fee["code"][6:]}
    assert (fine["code"][:6], fee["code"][:6], len(years)) == ("990102", "990101", 1)
    assert int(years.pop()) >= 28
    assert [len(fine[name]) for name in ("code", "number", "check_code")] == [8, 10, 6]
    assert int(fee["number"]) == int(fine["number"]) + 1


def test_the_same_request_is_the_same_receipt(outside: Outside) -> None:
    words = wish()
    first, again = (fiscal(outside.env, "/v1/receipts", words).json() for _ in "12")
    assert first == again
    assert len(outside.ask("/control/books/fiscal")["receipt"]) == 1


def test_one_request_number_never_says_two_things(outside: Outside) -> None:
    words = wish()
    fiscal(outside.env, "/v1/receipts", words)
    other = fiscal(outside.env, "/v1/receipts", words | {"amount_fen": 1})
    assert (other.status_code, other.json()["error"]) == (422, "REQUEST_CONFLICT")


def test_a_receipt_is_verified_until_void(outside: Outside) -> None:
    words = wish()
    receipt = fiscal(outside.env, "/v1/receipts", words).json()
    assert verified(outside, receipt) == {"result": "valid", "amount_fen": 10_000}
    fiscal(outside.env, "/v1/receipts/void", {"request_no": words["request_no"], "reason": "退款"})
    assert verified(outside, receipt)["result"] == "void"


def test_a_wrong_check_code_is_no_receipt(outside: Outside) -> None:
    assert verified(outside, issued(outside), check_code="000000") == {"result": "absent"}


def test_a_void_request_is_never_issued(outside: Outside) -> None:
    words = wish()
    gone = fiscal(outside.env, "/v1/receipts/void", {"request_no": words["request_no"], "reason": "退款"})
    assert gone.json()["state"] == "void"
    late = fiscal(outside.env, "/v1/receipts", words)
    assert (late.status_code, late.json()["error"]) == (422, "REQUEST_VOID")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_fen": 0}, {"amount_fen": 1.5}, {"amount_fen": "100"}, {"amount_fen": True}, {"kind": "gift"},
        {"payer": ""}, {"item": None}, {"request_no": "short"}, {"unit": "测试"},
        {"unit": {"code": "1", "name": "测试", "region": "亳州"}},
    ],
)  # fmt: skip
def test_wishes_that_make_no_sense_are_refused(outside: Outside, changes: dict[str, Any]) -> None:
    answer = fiscal(outside.env, "/v1/receipts", wish(**changes))
    assert (answer.status_code, answer.json()["error"]) == (422, "PARAM_ERROR")


def test_strangers_old_calls_and_replays_are_refused(outside: Outside) -> None:
    def refused(**more: Any) -> str:
        answer = fiscal(outside.env, "/v1/receipts", wish(), **more)
        return str(answer.json()["error"]) if answer.status_code == 401 else ""

    assert refused(secret="guessed") == "SIGN_ERROR"
    assert [refused(age=age) for age in (301, -301, 290)] == ["TIME_EXPIRED", "TIME_EXPIRED", ""]
    assert [refused(nonce="once-and-again") for _ in "12"] == ["", "NONCE_REPLAYED"]


def test_ordered_faults_hit_the_receipt_system(outside: Outside) -> None:
    words = wish()
    for kind, status in (("5xx", 503), ("5xx_after", 502), ("refuse", 422)):
        outside.fault("fiscal", kind, "issue")
        assert fiscal(outside.env, "/v1/receipts", words).status_code == status
    books = outside.ask("/control/books/fiscal")
    assert (len(books["receipt"]), books["calls"]["issue"]) == (1, 3)
