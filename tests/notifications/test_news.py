"""News of the platforms: true, repeated, early, late and forged."""

import json
from typing import Any

import pytest
import requests

import notifications
from backend.contracts import Notice
from backend.kernel import clock, ids
from backend.runtime import callbacks
from backend.runtime.settings import settings
from backend.store.inbox import NoticeRow
from backend.store.unit import run_unit
from notifications import sending
from notifications.channels.port import Taken
from notifications.outcomes import write_outcome
from tests.notifications.makers import (
    Resident,
    ask_for_correction,
    eventually,
    fares,
    message,
    resident,
    send,
)


def report(town: Any, content: Any, token: str | None = None) -> requests.Response:
    address = f"{town.base_url}/callbacks/notifications/sms_aliyun/{token or settings().sms.report_token}"
    return requests.post(address, data=json.dumps(content), timeout=10)


def told(about: str, **changed: Any) -> dict[str, Any]:
    row = message(about, "sms_aliyun")
    return {
        "phone_number": "13900000000", "send_time": "2026-11-18 10:00:00", "report_time": "2026-11-18 10:00:02",
        "success": True, "err_code": "DELIVERED", "err_msg": "", "sms_size": "1",
        "biz_id": row.provider_id or "", "out_id": row.id,
    } | changed  # fmt: skip


def verdicts(subject: str) -> list[str]:
    return run_unit(lambda u: [row.verdict for row in u.session.query(NoticeRow).filter_by(subject=subject)])


@pytest.fixture
def sent(person: Resident, town: Any) -> str:
    """A text the platform took, and of which no report has come."""
    town.control("/faults", {"provider": "sms", "verb": "report", "kind": "drop"})
    about = ask_for_correction(person)
    send()
    assert fares(about)["sms_aliyun"] == "sent"
    return about


def test_a_report_says_that_the_text_arrived(sent: str, town: Any) -> None:
    answer = report(town, [told(sent)])
    assert answer.json() == {"code": 0, "msg": "接收成功"}
    assert fares(sent)["sms_aliyun"] == "delivered"


def test_a_report_with_a_false_token_changes_nothing(sent: str, town: Any) -> None:
    answer = report(town, [told(sent)], token="guessed")
    assert answer.status_code == 403
    assert fares(sent)["sms_aliyun"] == "sent"
    assert not verdicts(message(sent, "sms_aliyun").id)


def test_a_repeated_report_changes_nothing(sent: str, town: Any) -> None:
    for _ in range(3):
        assert report(town, [told(sent)]).json()["code"] == 0
    assert fares(sent)["sms_aliyun"] == "delivered"
    assert verdicts(message(sent, "sms_aliyun").id) == ["used"]


def test_a_report_is_never_matched_by_phone(sent: str, person: Resident, town: Any) -> None:
    report(town, [told(sent, phone_number=person.phone, biz_id="1^0", out_id=ids.new_id("ms"))])
    assert fares(sent)["sms_aliyun"] == "sent"


def test_a_report_of_nothing_of_ours_is_kept_with_a_verdict(town: Any, person: Resident) -> None:
    stranger = ids.new_id("ms")
    report(town, [{"success": True, "biz_id": "9^0", "out_id": stranger}])
    assert verdicts(stranger) == ["unknown"]


def test_a_failed_report_raises_an_alarm(sent: str, town: Any) -> None:
    report(town, [told(sent, success=False, err_code="MK:0001")])
    row = message(sent, "sms_aliyun")
    assert (row.state, row.why) == ("failed", "空号")


def test_late_good_news_puts_a_failure_right(sent: str, town: Any) -> None:
    report(town, [told(sent, success=False, err_code="MK:0004")])
    report(town, [told(sent)])
    assert fares(sent)["sms_aliyun"] == "delivered"


def test_a_failure_of_an_earlier_sending_is_not_believed(sent: str, town: Any) -> None:
    report(town, [told(sent, success=False, err_code="MK:0001", biz_id="777^0")])
    assert fares(sent)["sms_aliyun"] == "sent"
    assert verdicts(message(sent, "sms_aliyun").id) == ["mismatch"]


@pytest.mark.parametrize("body", ["", "{}", "nonsense", '"text"'])
def test_what_is_no_list_of_reports_is_refused(town: Any, person: Resident, body: str) -> None:
    address = f"{town.base_url}/callbacks/notifications/sms_aliyun/{settings().sms.report_token}"
    assert requests.post(address, data=body, timeout=10).status_code == 403


def test_a_report_may_outrun_our_own_note(person: Resident, town: Any) -> None:
    about = ask_for_correction(person)
    (ready,) = [
        one for one in run_unit(sending.claim) if one[1].message_id == message(about, "sms_aliyun").id
    ]
    report(town, [told(about, biz_id="55^0")])
    assert fares(about)["sms_aliyun"] == "delivered"
    run_unit(lambda u: write_outcome(u, ready[1].message_id, Taken("55^0")))
    assert fares(about)["sms_aliyun"] == "delivered"


def test_the_platform_reports_by_itself(town: Any) -> None:
    person = resident(town, "17000000001")
    about = ask_for_correction(person)
    send()
    assert eventually(lambda: fares(about)["sms_aliyun"] == "failed")


def test_wechat_finds_our_address(town: Any, person: Resident) -> None:
    assert town.control("/wechat/check-address", {}) == {"status": 200, "echoed": True}
    address = f"{town.base_url}/callbacks/notifications/wechat"
    asked = {"signature": "0" * 40, "timestamp": "1", "nonce": "2", "echostr": "3"}
    assert requests.get(address, params=asked, timeout=10).status_code == 403


def test_a_forged_push_is_refused(town: Any, person: Resident) -> None:
    town.control("/faults", {"provider": "wechat", "verb": "subscribe_msg_popup_event", "kind": "forged"})
    town.control("/wechat/accept", {"openid": person.openid, "template_ids": ["tmpl-todo"]})
    letters = eventually(lambda: [
        letter for letter in town.control("/outbox?route=wechat", method="GET")["letters"]
        if letter["subject"] == person.openid and letter["forged"] and letter["attempts"]
    ])  # fmt: skip
    assert letters[0]["attempts"][0]["status"] == 403


def test_a_push_without_bottom_is_refused(town: Any) -> None:
    address = f"{town.base_url}/callbacks/notifications/wechat"
    assert requests.post(address, data=b"[" * 200_000, timeout=10).status_code == 403


def test_a_card_that_fails_after_all_goes_as_text(person: Resident, town: Any) -> None:
    town.control("/faults", {"provider": "wechat", "verb": "subscribe_msg_sent_event", "kind": "drop"})
    person.accept("correction_requested")
    about = ask_for_correction(person)
    send()
    row = message(about, "wechat_subscribe")
    facts = {"openid": person.openid, "provider_id": row.provider_id, "why": "user refuse"}
    news = Notice("wechat_push", ids.new_id("no"), "tmpl-todo", "failed", clock.now(), facts=facts)
    assert callbacks.hear(notifications.settle_wechat, news)
    send()
    assert fares(about)["wechat_subscribe"] == "failed"
    assert len(person.texts()) == 1
