import json
from typing import Any

import pytest
import requests
from wechatpy.crypto import WeChatCrypto  # type: ignore[import-untyped, unused-ignore]

from tests.simulators.conftest import Outside


class Platform:
    """The product's side of the WeChat platform."""

    def __init__(self, outside: Outside) -> None:
        self.env, self.base = outside.env, outside.env["WECHAT_BASE_URL"]
        self.token = self.stable()["access_token"]

    def app(self) -> dict[str, str]:
        return {"appid": self.env["WECHAT_APPID"], "secret": self.env["WECHAT_SECRET"]}

    def get(self, path: str, **params: str) -> Any:
        return requests.get(self.base + path, params=self.app() | params, timeout=5).json()

    def post(self, path: str, doc: Any, token: str | None = None) -> requests.Response:
        # Raw JSON without a Content-Type, as wechatpy sends it.
        query = {"access_token": self.token if token is None else token}
        return requests.post(self.base + path, params=query, data=json.dumps(doc).encode(), timeout=5)

    def stable(self, **more: Any) -> Any:
        body = self.app() | {"grant_type": "client_credential"} | more
        return requests.post(self.base + "/cgi-bin/stable_token", json=body, timeout=5).json()

    def session(self, code: str) -> Any:
        return self.get("/sns/jscode2session", js_code=code, grant_type="authorization_code")

    def send(self, openid: str, **more: Any) -> Any:
        data = {"thing1": "不动产登记", "phrase2": "待补正", "character_string3": "BZ123"}
        doc: dict[str, Any] = {
            "touser": openid,
            "template_id": "tmpl-correction",
            "page": "pages/case/index?id=1",
        }
        doc["data"] = {name: {"value": value} for name, value in (data | more.pop("data", {})).items()}
        return self.post("/cgi-bin/message/subscribe/send", doc | more).json()


@pytest.fixture
def platform(outside: Outside) -> Platform:
    return Platform(outside)


@pytest.fixture
def reader(outside: Outside) -> str:
    """Somebody who accepted one correction message."""
    openid: str = outside.ask("/control/wechat/login", {"phone": "13900000001"})["openid"]
    outside.ask("/control/wechat/accept", {"openid": openid, "template_ids": ["tmpl-correction"]})
    return openid


def test_a_login_code_serves_once(outside: Outside, platform: Platform) -> None:
    login = outside.ask("/control/wechat/login", {"phone": "13900000001"})
    first, second = platform.session(login["code"]), platform.session(login["code"])
    assert first["openid"] == login["openid"]
    assert "errcode" not in first
    assert second["errcode"] == 40163
    assert " rid: " in second["errmsg"]


def test_the_same_phone_is_the_same_account(outside: Outside) -> None:
    logins = [outside.ask("/control/wechat/login", {"phone": "13900000001"}) for _ in "12"]
    assert len({login["openid"] for login in logins}) == 1
    assert len({login["code"] for login in logins}) == 2


def test_the_phone_number_needs_its_own_code(outside: Outside, platform: Platform) -> None:
    login = outside.ask("/control/wechat/login", {"phone": "13900000001"})
    path = "/wxa/business/getuserphonenumber"
    assert platform.post(path, {"code": login["code"]}).json()["errcode"] == 40029
    told = platform.post(path, {"code": login["phone_code"]}).json()
    assert told["phone_info"]["purePhoneNumber"] == "13900000001"
    assert told["phone_info"]["watermark"]["appid"] == outside.env["WECHAT_APPID"]


@pytest.mark.parametrize(
    ("wrong", "errcode"), [({"appid": "wx0"}, 40013), ({"secret": "x"}, 40125), ({"grant_type": "x"}, 40002)]
)
def test_a_wrong_application_gets_no_token(platform: Platform, wrong: dict[str, str], errcode: int) -> None:
    sent = {"grant_type": "client_credential"} | wrong
    assert platform.get("/cgi-bin/token", **sent)["errcode"] == errcode


def test_a_plain_token_kills_the_former(platform: Platform) -> None:
    tokens = [platform.get("/cgi-bin/token", grant_type="client_credential")["access_token"] for _ in "12"]
    said = [platform.post("/wxa/getwxacodeunlimit", {"scene": "a"}, token) for token in tokens]
    assert said[0].json()["errcode"] == 40001
    assert said[1].content.startswith(b"\x89PNG")


def test_a_stable_token_stays_until_forced(platform: Platform) -> None:
    assert platform.stable()["access_token"] == platform.token
    assert platform.stable(force_refresh=True)["access_token"] != platform.token
    assert platform.stable(force_refresh=True)["errcode"] == 45009


def test_one_accept_is_one_message(outside: Outside, platform: Platform, reader: str) -> None:
    said = [platform.send(reader)["errcode"] for _ in "12"]
    assert said == [0, 43101]
    (card,) = outside.ask(f"/control/wechat/inbox?openid={reader}")["messages"]
    assert card["fields"][0] == {"key": "thing1", "label": "事项", "value": "不动产登记"}


def test_a_long_term_template_stays_open_until_closed(
    outside: Outside, platform: Platform, reader: str
) -> None:
    long_term = {"touser": reader, "template_id": "tmpl-long", "data": {"thing1": {"value": "进度"}}}
    outside.ask("/control/wechat/accept", {"openid": reader, "template_ids": ["tmpl-long"]})
    path = "/cgi-bin/message/subscribe/send"
    assert [platform.post(path, long_term).json()["errcode"] for _ in "123"] == [0, 0, 0]
    outside.ask("/control/wechat/close", {"openid": reader, "template_ids": ["tmpl-long"]})
    assert platform.post(path, long_term).json()["errcode"] == 43101


@pytest.mark.parametrize(
    ("more", "errcode"),
    [
        ({"touser": "o-nobody"}, 40003),
        ({"template_id": "tmpl-none"}, 40037),
        ({"page": "/pages/index"}, 41030),
        ({"data": {"thing1": "长" * 21}}, 47003),
        ({"data": {"phrase2": "预审通过了吗"}}, 47003),
        ({"data": {"phrase2": "ok"}}, 47003),
        ({"data": {"character_string3": "编号"}}, 47003),
        ({"data": {"thing1": ""}}, 47003),
        ({"data": {"thing9": "x"}}, 47003),
    ],
)
def test_a_bad_message_costs_no_grant(
    platform: Platform, reader: str, more: dict[str, Any], errcode: int
) -> None:
    assert platform.send(reader, **more)["errcode"] == errcode
    assert platform.send(reader)["errcode"] == 0


def test_an_unknown_token_is_refused(platform: Platform, reader: str) -> None:
    platform.token = "made-up"
    assert platform.send(reader)["errcode"] == 40001


def test_accepting_is_pushed_in_safe_mode(outside: Outside, reader: str) -> None:
    (letter,) = outside.product.wait(1, "/callbacks/notifications/wechat")
    crypto = WeChatCrypto(
        outside.env["WECHAT_PUSH_TOKEN"], outside.env["WECHAT_PUSH_AES_KEY"], outside.env["WECHAT_APPID"]
    )
    query = letter.query
    told = json.loads(
        crypto.decrypt_message(
            json.loads(letter.body), query["msg_signature"], query["timestamp"], query["nonce"]
        )
    )
    assert (told["FromUserName"], told["Event"]) == (reader, "subscribe_msg_popup_event")
    assert told["List"]["SubscribeStatusString"] == "accept"


def test_the_push_address_can_be_checked(outside: Outside) -> None:
    assert outside.ask("/control/wechat/check-address", {}) == {"status": 200, "echoed": True}


def test_too_many_logins_a_minute_are_slowed(outside: Outside, platform: Platform) -> None:
    outside.ask("/control/preferences", {"login_per_minute": 1})
    codes = [outside.ask("/control/wechat/login", {"phone": "13900000001"})["code"] for _ in "12"]
    assert [platform.session(code).get("errcode") for code in codes] == [None, 45011]
