"""All words this bureau says, one file per kind of message and channel: the only source of every template.

    <kind>.sms_aliyun.txt         template code / text
    <kind>.wechat_subscribe.txt   template id and title / page / one "field label words" line each
    <kind>.inbox.txt              title / page / text

`data/templates.json`, which the platforms approve and the simulators read, is drawn from these files.
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

INBOX, SMS, WECHAT = "inbox", "sms_aliyun", "wechat_subscribe"
VARIABLE = re.compile(r"\$\{(\w+)\}")
_ROOM = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class SmsWords:
    """A short message: the platform knows the text by its code."""

    code: str
    text: str

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(VARIABLE.findall(self.text))


@dataclass(frozen=True, slots=True)
class CardField:
    """One line of a card: the platform's field name, its label, and what we write there."""

    name: str
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class CardWords:
    """A card of a mini-program platform; several kinds may share one template (one grant, fewer questions)."""

    template_id: str
    title: str
    page: str
    fields: tuple[CardField, ...]


@dataclass(frozen=True, slots=True)
class InboxWords:
    title: str
    page: str
    text: str


@functools.cache
def has(kind: str, channel: str) -> bool:
    """Whether this kind of message can be told on this channel."""
    return _file(kind, channel).is_file()


@functools.cache
def sms(kind: str) -> SmsWords:
    code, text = _lines(kind, SMS)
    return SmsWords(code, text)


@functools.cache
def card(kind: str) -> CardWords:
    head, page, *lines = _lines(kind, WECHAT)
    template_id, title = head.split(" ", 1)
    fields = tuple(CardField(*line.split(" ", 2)) for line in lines)
    return CardWords(template_id, title, page, fields)


@functools.cache
def inbox(kind: str) -> InboxWords:
    title, page, text = _lines(kind, INBOX)
    return InboxWords(title, page, text)


def fill(words: str, values: Mapping[str, str]) -> str:
    """Put values into words; an absent or empty one has a plain default, so that nothing reads like a form."""
    return VARIABLE.sub(lambda found: value_of(values, found[1]), words)


def value_of(values: Mapping[str, str], name: str) -> str:
    return values.get(name) or _phrases()["defaults"].get(name, "")


def say(chapter: str, key: str) -> str:
    """One phrase of `phrases.json`."""
    return _phrases()[chapter][key]


@functools.cache
def _phrases() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((_ROOM / "phrases.json").read_text("utf-8"))
    return found


def _lines(kind: str, channel: str) -> list[str]:
    return _file(kind, channel).read_text("utf-8").strip().split("\n")


def _file(kind: str, channel: str) -> Path:
    return _ROOM / f"{kind}.{channel}.txt"
