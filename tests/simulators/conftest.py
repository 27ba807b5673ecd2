"""The outside world alone, and a listener where the product would be."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

import simulators
from tests.simulators.listener import Listener, listening
from tests.simulators.signers import Alipay, Env, WxPay

TEMPLATES = {
    "login_code": {"sms_aliyun": {"code": "SMS_1001", "text": "您的验证码为${code}，5分钟内有效。"}},
    "correction": {
        "sms_aliyun": {"code": "SMS_1002", "text": "您办理的${item}需要补正，请在${days}日内补齐。"},
        "wechat_subscribe": {
            "id": "tmpl-correction",
            "title": "补正通知",
            "fields": {"thing1": "item", "phrase2": "state", "character_string3": "number"},
            "labels": {"thing1": "事项"},
        },
        "alipay_template": {"id": "ali-correction", "title": "补正通知", "fields": {"keyword1": "item"}},
    },
    "news": {
        "wechat_subscribe": {"id": "tmpl-long", "title": "长期", "fields": {"thing1": "x"}, "long_term": True}
    },
}


@dataclass
class Outside:
    """The outside world as a test meets it."""

    base_url: str
    env: Env
    product: Listener
    clock_file: Path
    state_dir: Path

    def ask(self, path: str, body: Any = None, status: int | None = None, method: str = "") -> Any:
        """One call to the control desk or the phone: POST if there is a body."""
        verb = method or ("GET" if body is None else "POST")
        answer = requests.request(verb, self.base_url + path, json=body, timeout=5)
        assert answer.ok if status is None else answer.status_code == status, answer.text
        return answer.json()

    def fault(self, provider: str, kind: str, verb: str = "*", **more: Any) -> None:
        self.ask("/control/faults", {"provider": provider, "verb": verb, "kind": kind} | more, 201)

    def move_clock(self, by: timedelta) -> None:
        """Business time moves; wire time does not."""
        self.clock_file.write_text(json.dumps({"offset_seconds": by.total_seconds()}))


@pytest.fixture(scope="session")
def _standing_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    templates, clock_file, state = folder / "templates.json", folder / "clock.json", folder / "state"
    templates.write_text(json.dumps(TEMPLATES, ensure_ascii=False), "utf-8")
    with (
        listening() as product,
        simulators.opened(state, clock_file, templates, product.base_url) as base_url,
    ):
        yield Outside(base_url, simulators.issue_credentials(state, base_url), product, clock_file, state)


@pytest.fixture
def outside(_standing_world: Outside) -> Outside:
    """The standing world with empty books, fair weather, and quick retries."""
    _standing_world.clock_file.unlink(missing_ok=True)
    _standing_world.ask("/control/books", method="DELETE")
    _standing_world.ask(
        "/control/preferences",
        {"retry_seconds": [0.1, 0.1], "sms_report_seconds": 0, "wxpay_refund_seconds": 0.1},
    )
    _standing_world.product.forget()
    return _standing_world


@pytest.fixture
def wxpay(outside: Outside) -> WxPay:
    return WxPay(outside.env)


@pytest.fixture
def alipay(outside: Outside) -> Alipay:
    return Alipay(outside.env)
