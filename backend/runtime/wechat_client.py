"""WeChat's mini-program interface: wechatpy with what it lacks, and without what it does wrong.

wechatpy 1.8.18 has no stable_token and no phone number by code, fetches tokens without a time-out and once per
process, and repeats refused calls without end. Here the token is shared by the town, each call has a time-out and
at most one repetition, and errors are the town's own.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from backend.runtime import outbound
from backend.runtime.outbound import Garbled, OutsideError, Refused, Silent, Unreachable
from backend.runtime.provider_tokens import SharedToken
from backend.runtime.settings import WeChat, settings

NAME = "wechat"
BUSY = "-1"
STALE = frozenset({"40001", "40014", "42001"})


class MpClient(WeChatClient):  # type: ignore[misc]
    """One mini-program. Every method is an outside call: no unit may be open. Raises OutsideError."""

    def __new__(cls, *_args: object, **_named: object) -> "MpClient":
        client: MpClient = super().__new__(cls)
        return client

    def __init__(self, configured: WeChat, timeout: tuple[float, float] = outbound.TIMEOUT) -> None:
        super().__init__(configured.appid, configured.secret, timeout=timeout, auto_retry=False)
        self._base = configured.base_url.rstrip("/") + "/"
        self.API_BASE_URL = self._base + "cgi-bin/"
        self.wxa.API_BASE_URL = self._base
        self._http.trust_env = False
        self._token = SharedToken(f"{NAME}.{configured.appid}", self._fetch_token)

    def code2session(self, code: str) -> dict[str, Any]:
        """Who has just called wx.login: {"openid", "session_key", "unionid"?}. Refused 40029, 40163: code unusable."""
        # An empty access_token keeps wechatpy from fetching and sending one, which this call must not carry.
        params = {
            "appid": self.appid, "secret": self.secret, "js_code": code, "grant_type": "authorization_code",
            "access_token": "",
        }  # fmt: skip
        said = _told(lambda: self.get("sns/jscode2session", api_base_url=self._base, params=params))
        if "openid" not in said:
            raise Garbled(NAME, "a session without openid")
        return said

    def phone_of(self, code: str) -> str:
        """The number whose holder pressed the phone button. Refused 40029: code unusable."""
        said = self._authorised("wxa/business/getuserphonenumber", {"code": code})
        try:
            return str(said["phone_info"]["purePhoneNumber"])
        except (KeyError, TypeError) as error:
            raise Garbled(NAME, "an answer without a phone number") from error

    def send_subscribe(
        self,
        openid: str,
        template_id: str,
        data: Mapping[str, str],
        page: str | None = None,
        state: str = "formal",
    ) -> str:
        """Send a subscribe message; returns WeChat's msgid. Refused 43101: not (or no longer) accepted by the user.

        `state` is formal, trial or developer: which edition of the mini-program the message opens.
        """
        letter: dict[str, Any] = {
            "touser": openid, "template_id": template_id, "miniprogram_state": state, "lang": "zh_CN",
            "data": {name: {"value": value} for name, value in data.items()},
        }  # fmt: skip
        if page is not None:
            letter["page"] = page
        return str(self._authorised("cgi-bin/message/subscribe/send", letter).get("msgid", ""))

    def _authorised(self, path: str, letter: dict[str, Any]) -> dict[str, Any]:
        """Post with the town's token; once more with a new one if the platform no longer knows it."""
        token = self._token.current()
        try:
            return self._post(path, letter, token)
        except Refused as refusal:
            if refusal.code not in STALE:
                raise
        return self._post(path, letter, self._token.renewed(token))

    def _post(self, path: str, letter: dict[str, Any], token: str) -> dict[str, Any]:
        return _told(
            lambda: self.post(path, api_base_url=self._base, params={"access_token": token}, data=letter)
        )

    def _fetch_token(self, force: bool) -> tuple[str, int]:
        order = {
            "grant_type": "client_credential", "appid": self.appid, "secret": self.secret, "force_refresh": force
        }  # fmt: skip

        def ask() -> Any:
            answer = self._http.post(self.API_BASE_URL + "stable_token", json=order, timeout=self.timeout)
            answer.raise_for_status()
            return self._handle_result(answer)

        try:
            said = _told(ask)
        except Refused as refusal:
            # What needed the token has not been sent: that is no refusal of it.
            raise Unreachable(NAME, f"gave no token: {refusal.message}", refusal.code) from refusal
        return str(said["access_token"]), int(said.get("expires_in", 7200))


def _told(call: Callable[[], Any]) -> dict[str, Any]:
    """Make the call and translate how it ended."""
    with outbound.guard(NAME):
        try:
            said = call()
        except WeChatClientException as refusal:
            raise _translated(refusal) from refusal
        except requests.HTTPError as error:
            raise Silent(NAME, "answered an HTTP error", str(error.response.status_code)) from error
        if not isinstance(said, dict):
            raise Garbled(NAME, "an answer that is not JSON")
        return said


def _translated(refusal: WeChatClientException) -> OutsideError:
    """wechatpy tells HTTP errors by a missing errcode; -1 is "busy": nobody knows what became of the call."""
    code = "" if refusal.errcode is None else str(refusal.errcode)
    if code in ("", BUSY):
        return Silent(NAME, "busy or broken", code)
    return Refused(NAME, str(refusal.errmsg or ""), code)


@functools.cache
def shared() -> MpClient:
    """The configured mini-program's client, one per process."""
    return MpClient(settings().wechat)
