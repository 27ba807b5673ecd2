"""Which way a message goes, and what happens when a platform refuses, waits or falls silent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

import notifications
from backend.contracts import CorrectionRequested, MessageDead
from backend.kernel import clock
from backend.runtime import outbound
from backend.runtime.settings import settings
from backend.store.outbox import OutboxRow
from backend.store.unit import SYSTEM, run_unit
from notifications import reactions, sending, tasks
from tests.notifications.makers import (
    Resident,
    accept_case,
    ask_for_correction,
    eventually,
    fares,
    matter,
    message,
    resident,
    send,
)


def died(about: str) -> bool:
    wanted = {view.id for view in run_unit(lambda u: notifications.messages_about(u, about))}
    return run_unit(
        lambda u: any(
            row.stream in wanted for row in u.session.query(OutboxRow).filter_by(kind=MessageDead.__name__)
        )
    )


def test_a_grant_carries_the_message_as_card(person: Resident) -> None:
    person.accept("correction_requested")
    about = ask_for_correction(person)
    send()
    (card,) = person.cards()
    words = {field["key"]: field["value"] for field in card["fields"]}
    assert words["phrase2"] == "待补正"
    assert card["page"] == f"pages/cases/show?id={about}"
    assert not person.texts()
    assert eventually(lambda: fares(about) == {"inbox": "delivered", "wechat_subscribe": "delivered"})


def test_without_grant_what_must_be_known_is_texted(person: Resident) -> None:
    about = ask_for_correction(person)
    send()
    (text,) = person.texts()
    assert text.startswith("【亳州掌办】您申请的不动产首次登记预受理需要补正")
    assert eventually(lambda: fares(about) == {"inbox": "delivered", "sms_aliyun": "delivered"})


def test_without_grant_other_news_waits_in_the_inbox(person: Resident) -> None:
    about = accept_case(person)
    send()
    assert fares(about) == {"inbox": "delivered"}
    assert [line["title"] for line in person.inbox()] == ["申请已受理"]


def test_one_grant_carries_one_card(person: Resident) -> None:
    person.accept("correction_requested")
    first, second = ask_for_correction(person), ask_for_correction(person)
    send()
    assert "wechat_subscribe" in fares(first)
    assert fares(second).keys() == {"inbox", "sms_aliyun"}


def test_a_refused_card_goes_by_short_message(person: Resident, town: Any) -> None:
    person.accept("correction_requested")
    about = ask_for_correction(person)
    town.control("/faults", {"provider": "wechat", "verb": "send", "kind": "refuse", "code": "43101"})
    send()
    send()
    assert fares(about)["wechat_subscribe"] == "failed"
    assert len(person.texts()) == 1
    assert not person.cards()
    assert fares(ask_for_correction(person)).keys() == {"inbox", "sms_aliyun"}


def test_a_fallback_keeps_words_and_proof(person: Resident, town: Any) -> None:
    person.accept("correction_requested")
    about = ask_for_correction(person)
    town.control("/faults", {"provider": "wechat", "verb": "send", "kind": "refuse", "code": "47003"})
    send()
    send()
    card, text = message(about, "wechat_subscribe"), message(about, "sms_aliyun")
    assert card.proof == text.proof
    assert f"防伪码{text.proof}" in person.texts()[0]


def test_the_same_fact_is_told_once(person: Resident) -> None:
    about, fact = matter(), matter()
    for _ in range(3):
        run_unit(lambda u: reactions.on_correction_requested(u, CorrectionRequested(about, person.id, fact)))
        send()
    assert len(person.texts()) == 1
    assert len(person.inbox()) == 1


def test_a_wish_for_no_pushes_is_kept(person: Resident) -> None:
    person.prefer(push_off=True)
    person.accept("case_accepted")
    assert fares(accept_case(person)).keys() == {"inbox"}
    assert fares(ask_for_correction(person)).keys() == {"inbox", "sms_aliyun"}


def test_elder_mode_brings_card_and_text(person: Resident) -> None:
    person.prefer(elder=True)
    person.accept("correction_requested")
    about = ask_for_correction(person)
    send()
    assert fares(about).keys() == {"inbox", "wechat_subscribe", "sms_aliyun"}
    assert len(person.texts()) == len(person.cards()) == 1


def test_silence_after_sending_is_unknown_then_asked(person: Resident, town: Any) -> None:
    town.control("/faults", {"provider": "sms", "verb": "send", "kind": "5xx_after"})
    town.control("/faults", {"provider": "sms", "verb": "report", "kind": "drop"})
    about = ask_for_correction(person)
    send()
    assert fares(about)["sms_aliyun"] == "unknown"
    assert run_unit(notifications.counts).unknown >= 1
    send()
    clock.advance(timedelta(seconds=16))
    tasks.ask()
    assert fares(about)["sms_aliyun"] == "delivered"
    assert len(person.texts()) == 1


def test_what_the_platform_never_saw_is_sent_again_once(person: Resident, town: Any) -> None:
    town.control("/faults", {"provider": "sms", "verb": "send", "kind": "5xx"})
    about = ask_for_correction(person)
    send()
    clock.advance(timedelta(seconds=16))
    tasks.ask()
    assert fares(about)["sms_aliyun"] == "unknown"
    clock.advance(timedelta(seconds=60))
    tasks.ask()
    assert fares(about)["sms_aliyun"] == "queued"
    send()
    assert len(person.texts()) == 1


def test_lost_twice_is_not_sent_a_third_time(person: Resident, town: Any) -> None:
    town.control("/faults", {"provider": "sms", "verb": "send", "kind": "5xx", "times": 2})
    about = ask_for_correction(person)
    for _ in range(2):
        send()
        for seconds in (16, 60):
            clock.advance(timedelta(seconds=seconds))
            tasks.ask()
    send()
    assert fares(about)["sms_aliyun"] == "failed"
    assert not person.texts()
    assert died(about)


def test_a_sender_that_dies_leaves_the_message_unknown(person: Resident) -> None:
    about = ask_for_correction(person)
    run_unit(sending.claim)
    assert fares(about)["sms_aliyun"] == "sending"
    send()
    assert not person.texts()
    run_unit(lambda u: sending.recover(u, clock.wire_now() + sending.LEASE))
    assert fares(about)["sms_aliyun"] == "unknown"


def test_an_unknown_card_is_followed_by_a_text(person: Resident, town: Any) -> None:
    person.accept("correction_requested")
    about = ask_for_correction(person)
    town.control("/faults", {"provider": "wechat", "verb": "send", "kind": "5xx"})
    send()
    assert fares(about)["wechat_subscribe"] == "unknown"
    clock.advance(timedelta(seconds=16))
    tasks.ask()
    send()
    assert len(person.texts()) == 1


def test_flow_control_waits_and_is_no_failure(person: Resident, town: Any) -> None:
    town.control("/preferences", {"sms_limits": {"notice_per_day": 1}})
    try:
        first, second = ask_for_correction(person), ask_for_correction(person)
        send()
        states = sorted([fares(first)["sms_aliyun"], fares(second)["sms_aliyun"]])
        assert "queued" in states
        clock.advance(timedelta(days=1, minutes=2))
        outbound.reset_breakers()
        send()
        assert len(person.texts()) == 2
        assert not (died(first))
        assert not (died(second))
    finally:
        town.control("/preferences", {"sms_limits": {"notice_per_day": 50}})


def test_a_dead_number_ends_as_an_alarm(town: Any) -> None:
    person = resident(town, "17000000002")
    about = ask_for_correction(person)
    send()
    assert fares(about) == {"inbox": "delivered", "sms_aliyun": "failed"}
    assert message(about, "sms_aliyun").why == "手机号码不能接收短信"
    assert died(about)


def test_a_platform_out_of_reach_is_tried_until_pointless(
    person: Resident, town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = ask_for_correction(person)
    monkeypatch.setenv("SMS_ALIYUN_BASE_URL", "http://127.0.0.1:9/sms")
    settings.cache_clear()
    try:
        send()
        assert fares(about)["sms_aliyun"] == "queued"
        assert message(about, "sms_aliyun").tries == 1
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    clock.advance(timedelta(seconds=6))
    send()
    assert len(person.texts()) == 1


def test_staff_can_send_a_failed_message_again(person: Resident, town: Any) -> None:
    town.control(
        "/faults", {"provider": "sms", "verb": "send", "kind": "refuse", "code": "isv.SMS_TEMPLATE_ILLEGAL"}
    )
    about = ask_for_correction(person)
    send()
    failed = message(about, "sms_aliyun")
    assert failed.state == "failed"
    run_unit(lambda u: notifications.resend(u, failed.id, SYSTEM))
    send()
    assert len(person.texts()) == 1
    with pytest.raises(notifications.NothingToResend):
        run_unit(lambda u: notifications.resend(u, failed.id, SYSTEM))


def test_two_senders_never_send_the_same_message(person: Resident) -> None:
    told = [ask_for_correction(person) for _ in range(20)]
    with ThreadPoolExecutor(2) as pool:
        for sender in [pool.submit(sending.send_due) for _ in range(2)]:
            sender.result()
    assert len(person.texts()) == len(told)
