"""The message templates as the providers approved them: the product's template file, read by path.

A provider knows its templates by code or id only; the product's names for the kinds of message mean nothing here.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SmsTemplate:
    """An approved SMS template; ``${name}`` stands for a variable."""

    code: str
    text: str

    @property
    def is_verification(self) -> bool:
        """Verification codes have limits of their own; the law of the trade is that their text says so."""
        return any(word in self.text for word in ("验证码", "校验码", "注册码", "动态码"))


@dataclass(frozen=True, slots=True)
class CardTemplate:
    """An approved card template (WeChat subscribe message or Alipay template message)."""

    id: str
    title: str
    fields: tuple[str, ...]
    labels: dict[str, str] = field(default_factory=dict)
    long_term: bool = False


class Templates:
    """Reads the file again when it changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._kinds: dict[str, dict[str, dict[str, object]]] = {}

    def sms(self, code: str) -> SmsTemplate | None:
        """The SMS template of this code."""
        for entry in self._of("sms_aliyun"):
            if entry.get("code") == code:
                return SmsTemplate(code, str(entry["text"]))
        return None

    def wechat(self, template_id: str) -> CardTemplate | None:
        """The WeChat subscribe template of this id."""
        return self._card("wechat_subscribe", template_id)

    def alipay(self, template_id: str) -> CardTemplate | None:
        """The Alipay mini-program template of this id."""
        return self._card("alipay_template", template_id)

    def _card(self, channel: str, template_id: str) -> CardTemplate | None:
        for entry in self._of(channel):
            if entry.get("id") == template_id:
                return _read_card(template_id, entry)
        return None

    def _of(self, channel: str) -> list[dict[str, object]]:
        self._refresh()
        return [kind[channel] for kind in self._kinds.values() if isinstance(kind.get(channel), dict)]

    def _refresh(self) -> None:
        if self._path is None:
            return
        stat = self._path.stat()
        mark = (stat.st_mtime_ns, stat.st_size)
        if mark != self._seen:
            kinds = json.loads(self._path.read_text("utf-8"))
            self._kinds = {name: kind for name, kind in kinds.items() if isinstance(kind, dict)}
            self._seen = mark


def _read_card(template_id: str, entry: dict[str, object]) -> CardTemplate:
    fields, labels = entry.get("fields"), entry.get("labels")
    return CardTemplate(
        template_id,
        str(entry.get("title", "")),
        tuple(fields) if isinstance(fields, dict) else (),
        {str(key): str(label) for key, label in labels.items()} if isinstance(labels, dict) else {},
        entry.get("long_term") is True,
    )
