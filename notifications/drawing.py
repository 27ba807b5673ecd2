"""Draws the template file that platforms approve and simulators render: `python -m notifications FILE`."""

import json
from typing import Any

from notifications import wording
from notifications.kinds import KINDS


def draw() -> dict[str, dict[str, Any]]:
    """Every kind with its templates, in the order of the kinds."""
    return {name: _entry(name) for name in KINDS}


def text() -> str:
    """The file as it is kept."""
    return json.dumps(draw(), ensure_ascii=False, indent=1) + "\n"


def _entry(kind: str) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if wording.has(kind, wording.SMS):
        sms = wording.sms(kind)
        entry[wording.SMS] = {"code": sms.code, "text": sms.text}
    if wording.has(kind, wording.WECHAT):
        card = wording.card(kind)
        entry[wording.WECHAT] = {
            "id": card.template_id,
            "title": card.title,
            "fields": {field.name: _variable_or_words(field.words) for field in card.fields},
            "labels": {field.name: field.label for field in card.fields},
        }
    entry["must_know"] = KINDS[kind].must_know
    return entry


def _variable_or_words(words: str) -> str:
    alone = wording.VARIABLE.fullmatch(words)
    return alone[1] if alone else words
