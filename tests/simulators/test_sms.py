from datetime import timedelta

import pytest

from tests.simulators.conftest import Outside
from tests.simulators.signers import acs3, sms

PHONE = "13900000001"
CODE = {"code": "123456"}


def test_a_message_arrives_as_readable_text(outside: Outside) -> None:
    answer = sms(
        outside.env, PHONE, "SMS_1002", {"item": "不动产 首次登记+预受理", "days": "5"}, OutId="ms-1"
    )
    assert answer["Code"] == "OK"
    (message,) = outside.ask(f"/control/sms/inbox?phone={PHONE}")["messages"]
    assert message["text"] == "【亳州掌办】您办理的不动产 首次登记+预受理需要补正，请在5日内补齐。"
    assert (message["out_id"], message["biz_id"]) == ("ms-1", answer["BizId"])


def test_the_delivery_report_follows(outside: Outside) -> None:
    answer = sms(outside.env, PHONE, "SMS_1001", CODE, OutId="ms-2")
    (letter,) = outside.product.wait(
        1, "/callbacks/notifications/sms_aliyun/" + outside.env["SMS_REPORT_TOKEN"]
    )
    assert answer["BizId"].encode() in letter.body
    assert b'"success": true' in letter.body


def test_a_dead_number_is_reported_undelivered(outside: Outside) -> None:
    assert sms(outside.env, "17000000001", "SMS_1001", CODE)["Code"] == "OK"
    (letter,) = outside.product.wait(1)
    assert b'"success": false' in letter.body


@pytest.mark.parametrize(
    ("phone", "template", "values", "code"),
    [
        ("12900000001", "SMS_1001", CODE, "isv.MOBILE_NUMBER_ILLEGAL"),
        (PHONE, "SMS_9999", CODE, "isv.SMS_TEMPLATE_ILLEGAL"),
        (PHONE, "SMS_1001", {}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        (PHONE, "SMS_1002", {"item": "长" * 36, "days": "5"}, "isv.PARAM_LENGTH_LIMIT"),
        (PHONE, "SMS_1002", {"item": "https://example.cn", "days": "5"}, "isv.PARAM_NOT_SUPPORT_URL"),
        ("17000000004", "SMS_1001", CODE, "isv.AMOUNT_NOT_ENOUGH"),
    ],
)
def test_what_the_trade_forbids_is_refused(
    outside: Outside, phone: str, template: str, values: dict[str, str], code: str
) -> None:
    assert sms(outside.env, phone, template, values)["Code"] == code
    assert outside.ask(f"/control/sms/inbox?phone={phone}")["messages"] == []


def test_another_sign_name_is_refused(outside: Outside) -> None:
    answer = sms(outside.env, PHONE, "SMS_1001", CODE, SignName="别人")
    assert answer["Code"] == "isv.SMS_SIGNATURE_ILLEGAL"


@pytest.mark.parametrize(
    ("spoilt", "status", "code"),
    [
        ({"secret": "guessed"}, 400, "SignatureDoesNotMatch"),
        ({"date": "2020-01-01T00:00:00Z"}, 400, "InvalidTimeStamp.Expired"),
        ({"date": "yesterday"}, 400, "InvalidTimeStamp.Format"),
    ],
)
def test_a_badly_signed_call_is_refused(
    outside: Outside, spoilt: dict[str, str], status: int, code: str
) -> None:
    answer = acs3(outside.env, "SendSms", {"PhoneNumbers": PHONE}, **spoilt)
    assert (answer.status_code, answer.json()["Code"]) == (status, code)


def test_a_nonce_serves_only_once(outside: Outside) -> None:
    asked = [acs3(outside.env, "QuerySendDetails", {"PhoneNumber": PHONE}, nonce="n").json() for _ in "12"]
    assert [answer["Code"] for answer in asked] == ["OK", "SignatureNonceUsed"]


def test_codes_are_limited_by_minute_hour_and_day(outside: Outside) -> None:
    said = []
    for minute in range(7):
        outside.move_clock(timedelta(minutes=2 * minute))
        said.append(sms(outside.env, PHONE, "SMS_1001", CODE))
    assert [answer["Code"] == "OK" for answer in said] == [True] * 5 + [False] * 2
    assert "小时级" in said[-1]["Message"]
    outside.move_clock(timedelta(hours=2))
    assert sms(outside.env, PHONE, "SMS_1001", CODE)["Code"] == "OK"
    assert "分钟级" in sms(outside.env, PHONE, "SMS_1001", CODE)["Message"]


def test_a_lifted_limit_does_not_bind(outside: Outside) -> None:
    outside.ask("/control/preferences", {"sms_limits": {"code_per_minute": None}})
    assert [sms(outside.env, PHONE, "SMS_1001", CODE)["Code"] for _ in "123"] == ["OK"] * 3


def test_what_was_sent_can_be_asked(outside: Outside) -> None:
    sent = sms(outside.env, PHONE, "SMS_1001", CODE, OutId="ms-3")
    day = outside.ask("/phone/state")["clock"][:10].replace("-", "")
    asked = {
        "PhoneNumber": PHONE,
        "BizId": sent["BizId"],
        "SendDate": day,
        "PageSize": "10",
        "CurrentPage": "1",
    }
    (detail,) = acs3(outside.env, "QuerySendDetails", asked).json()["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
    assert (detail["SendStatus"], detail["ErrCode"], detail["OutId"]) == (3, "DELIVERED", "ms-3")
