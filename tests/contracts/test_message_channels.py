"""One suite over all channels: whatever the platform, a message fits, is taken, refused, or of unknown fate."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.kernel import clock, ids
from backend.runtime import wechat_client
from backend.runtime.settings import settings
from notifications import wording
from notifications.channels import NAMES, channel
from notifications.channels.port import Arrived, Composed, Letter, NotSeen, NotTaken, Question, Taken, Unknown
from notifications.kinds import KINDS
from simulators import wechat_fields as platform
from tests.notifications.makers import FACTS, Resident, fresh_phone, resident, template_of

PROVIDERS = {wording.SMS: "sms", wording.WECHAT: "wechat"}
OUTSIDE = sorted(PROVIDERS)
KIND = "correction_requested"
MOVED = {"new_when": FACTS["when"], "new_place": FACTS["place"]}
VALUES = FACTS | MOVED | {"proof": "K7M2Q9", "about": "cs-1", "subject": "co-1", "code": "482913"}


@pytest.fixture
def person(town: Any) -> Iterator[Resident]:
    clock.move_to(clock.at_local(clock.today(), 10))
    yield resident(town)
    town.control("/faults", method="DELETE")


def letter_to(person: Resident, name: str) -> Letter:
    to = person.openid if name == wording.WECHAT else person.phone
    if name == wording.WECHAT:
        body = {"openid": person.openid, "template_ids": [template_of(KIND)]}
        person.town.control("/wechat/accept", body)
    return Letter(ids.new_id("ms"), to, channel(name).compose(KIND, VALUES))


def question_of(letter: Letter, provider_id: str | None = None) -> Question:
    return Question(letter.message_id, letter.to, provider_id, clock.now())


def parameters_of(kind: str, name: str, values: dict[str, str]) -> Composed:
    return channel(name).compose(kind, values)


@pytest.mark.parametrize("name", NAMES)
def test_it_knows_its_own_name(name: str) -> None:
    assert channel(name).name == name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_words_fit_and_no_field_is_empty(name: str, kind: str) -> None:
    if not wording.has(kind, name):
        assert KINDS[kind].secret or not KINDS[kind].must_know
        return
    long = {k: v if k in ("amount", "when", "new_when") else v * 9 for k, v in VALUES.items()}
    for values in (VALUES, long):
        composed = parameters_of(kind, name, values)
        assert composed.text
        assert "${" not in composed.text + composed.title + composed.page
        assert all(composed.parameters.values())
        if name == wording.WECHAT:
            assert all(platform.fits(field, value) for field, value in composed.parameters.items())
        if name == wording.SMS:
            assert all(len(value) <= 35 for value in composed.parameters.values())


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_a_message(name: str, person: Resident) -> None:
    outcome = channel(name).send(letter_to(person, name))
    assert isinstance(outcome, Taken)
    assert outcome.provider_id


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_template_it_does_not_know_is_refused_for_good(name: str, person: Resident) -> None:
    good = letter_to(person, name)
    strange = Composed("", good.content.text, "SMS_0", good.content.page, good.content.parameters)
    outcome = channel(name).send(Letter(good.message_id, good.to, strange))
    assert isinstance(outcome, NotTaken)
    assert outcome.permanent
    assert outcome.why


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["5xx", "5xx_after"])
def test_an_answer_that_never_came_is_unknown(name: str, kind: str, person: Resident) -> None:
    letter = letter_to(person, name)
    person.town.control("/faults", {"provider": PROVIDERS[name], "verb": "send", "kind": kind})
    assert isinstance(channel(name).send(letter), Unknown)


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_platform_out_of_reach_certainly_sent_nothing(
    name: str, person: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = letter_to(person, name)
    channel(name).send(letter_to(person, name))  # the platform's token is fetched while it can be reached
    monkeypatch.setenv("SMS_ALIYUN_BASE_URL", "http://127.0.0.1:9/sms")
    monkeypatch.setenv("WECHAT_BASE_URL", "http://127.0.0.1:9/wechat")
    settings.cache_clear()
    wechat_client.shared.cache_clear()
    try:
        outcome = channel(name).send(letter)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
        wechat_client.shared.cache_clear()
    assert isinstance(outcome, NotTaken)
    assert not outcome.permanent


@pytest.mark.parametrize("name", [name for name in NAMES if name != wording.WECHAT])
def test_it_can_be_asked_what_became_of_a_message(name: str, person: Resident) -> None:
    assert channel(name).can_ask
    letter = letter_to(person, name)
    outcome = channel(name).send(letter)
    assert isinstance(outcome, Taken)
    assert isinstance(channel(name).ask(question_of(letter, outcome.provider_id)), Arrived)
    assert isinstance(channel(name).ask(question_of(letter)), Arrived)


def test_a_text_it_never_saw_is_not_seen(person: Resident) -> None:
    letter = letter_to(person, wording.SMS)
    assert isinstance(channel(wording.SMS).ask(question_of(letter)), NotSeen)


def test_a_text_is_found_among_many_to_one_phone(person: Resident) -> None:
    sms = channel(wording.SMS)
    person.town.control("/preferences", {"sms_limits": {"notice_per_day": None}})
    try:
        letters = [letter_to(person, wording.SMS) for _ in range(60)]
        assert all(isinstance(sms.send(letter), Taken) for letter in letters)
        assert isinstance(sms.ask(question_of(letters[0])), Arrived)
    finally:
        person.town.control("/preferences", {"sms_limits": {"notice_per_day": 50}})


def test_flow_control_says_how_long_to_wait(person: Resident) -> None:
    sms, phone = channel(wording.SMS), fresh_phone()
    code = sms.compose("code_login", {"code": "482913"})
    assert isinstance(sms.send(Letter(ids.new_id("ms"), phone, code)), Taken)
    outcome = sms.send(Letter(ids.new_id("ms"), phone, code))
    assert isinstance(outcome, NotTaken)
    assert not outcome.permanent
    assert outcome.wait is not None
    assert outcome.wait.total_seconds() == 60
