"""Every kind has words, and every text keeps the rules of the platform that must approve it."""

import itertools
import json
import re
from pathlib import Path

import pytest

from backend.people.services.codes import PURPOSES
from notifications import drawing, wording
from notifications.channels import sms_text
from notifications.kinds import KINDS, code_kind

SIGN = "亳州掌办"
CODES = [name for name, kind in KINDS.items() if kind.secret]
TOLD = [name for name, kind in KINDS.items() if not kind.secret]
TEXTED = [name for name in KINDS if wording.has(name, wording.SMS)]
LONGEST = {
    "item": 24, "number": 14, "due": 24, "amount": 10, "when": 12, "place": 24, "what": 8, "waybill": 20, "proof": 6,
    "new_when": 12, "new_place": 24, "held_until": 12, "until": 12, "closed_brief": 12, "cancelled_brief": 12,
    "people": 2, "offers_left": 2, "number_tail": 4,
}  # fmt: skip
GIVEN_ALWAYS = {"proof", "about", "subject", "code"}
HAS_DEFAULT = set(json.loads(Path("notifications/wording/phrases.json").read_text("utf-8"))["defaults"])


def test_the_template_file_is_drawn_from_the_wording() -> None:
    assert Path("data/templates.json").read_text("utf-8") == drawing.text(), (
        "run: python -m notifications data/templates.json"
    )


def test_no_words_are_missing() -> None:
    missing = [f"{kind}.{channel}" for kind in TOLD for channel in (wording.INBOX, wording.WECHAT)
               if not wording.has(kind, channel)]  # fmt: skip
    missing += [f"{name}.{wording.SMS}" for name, kind in KINDS.items()
                if (kind.must_know or kind.secret) and not wording.has(name, wording.SMS)]  # fmt: skip
    assert not missing


def test_no_words_are_left_over() -> None:
    files = Path("notifications/wording").glob("*.*.txt")
    assert not [file.name for file in files if file.name.split(".")[0] not in KINDS]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_purpose_of_a_code_has_words(purpose: str) -> None:
    assert wording.has(code_kind(purpose).name, wording.SMS)


@pytest.mark.parametrize("kind", TEXTED)
def test_a_text_keeps_the_rules_of_templates(kind: str) -> None:
    words = wording.sms(kind)
    assert re.fullmatch(r"SMS_\d+", words.code)
    assert not set("【】★※") & set(words.text)
    assert words.text[0] not in "[ "
    assert words.text[-1] not in "] "
    assert len(words.variables) == len(set(words.variables))
    assert "}${" not in words.text
    assert wording.VARIABLE.sub("", words.text).strip("，。")
    assert not re.search(r"1[3-9]\d{9}", words.text)


@pytest.mark.parametrize("kind", CODES)
def test_a_text_with_a_code_says_so(kind: str) -> None:
    words = wording.sms(kind)
    assert words.variables == ("code",)
    assert "验证码" in words.text
    assert sms_text.parts(sms_text.signed(SIGN, words.text.replace("${code}", "482913"))) == 1


@pytest.mark.parametrize("kind", sorted(set(TEXTED) - set(CODES)))
def test_a_text_is_short_and_tells_what_to_do(kind: str) -> None:
    words = wording.sms(kind)
    longest = wording.fill(words.text, {name: "字" * LONGEST[name] for name in words.variables})
    assert sms_text.parts(sms_text.signed(SIGN, longest)) <= 2
    assert any(verb in words.text for verb in ("打开", "请带", "带上", "点开", "签收时", "留意"))
    assert "proof" in words.variables
    assert not any(word in words.text for word in ("验证码", "校验码", "注册码", "动态码"))


def test_codes_of_templates_are_unique() -> None:
    codes = [wording.sms(kind).code for kind in TEXTED]
    assert len(codes) == len(set(codes))


def test_kinds_that_share_a_card_share_its_shape() -> None:
    cards = sorted((wording.card(kind) for kind in TOLD), key=lambda card: card.template_id)
    for _, same in itertools.groupby(cards, key=lambda card: card.template_id):
        assert len({(card.title, tuple((f.name, f.label) for f in card.fields)) for card in same}) == 1


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_variable_is_given_or_has_a_default(kind: str) -> None:
    files = Path("notifications/wording").glob(f"{kind}.*.txt")
    used = {name for file in files for name in wording.VARIABLE.findall(file.read_text("utf-8"))}
    assert used <= GIVEN_ALWAYS | HAS_DEFAULT


def test_a_decision_does_not_show_on_the_lock_screen() -> None:
    said = [Path(f"notifications/wording/case_decided.{c}.txt").read_text("utf-8")
            for c in (wording.INBOX, wording.SMS, wording.WECHAT)]  # fmt: skip
    assert not [word for text in said for word in ("准予", "不予", "通过", "驳回", "拒绝") if word in text]


def test_approval_carries_a_link_to_booking() -> None:
    assert "https://" in wording.sms("pre_review_passed").text
    assert wording.card("pre_review_passed").page.startswith("pages/bookings/new?case=")
