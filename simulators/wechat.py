"""The WeChat platform's doors for servers: access tokens, mini-program login, phone number, mini-program code."""

import re
import struct
import zlib

from flask import Blueprint, Response, request

from simulators import preferences
from simulators import wechat_accounts as accounts
from simulators.answers import json_answer, json_body
from simulators.books import Doc, Page
from simulators.wechat_answers import no, ordered
from simulators.world import World, weathered

desk = Blueprint("wechat", __name__, url_prefix="/wechat")

_FORCED_PER_DAY, _FORCED_APART_SECONDS, _RENEW_EARLY_SECONDS = 20, 30, 300
_FORCED, _LOGINS = "wechat.forced_token", "wechat.recent_login"
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
PAGE = re.compile(r"[A-Za-z0-9_\-]+(/[A-Za-z0-9_\-]+)*(\?.*)?")


@desk.get("/cgi-bin/token")
@weathered("wechat", "token", ordered)
def plain_token(world: World) -> Response:
    """An access token; every call replaces the former one."""
    if trouble := _app_trouble(world, request.args.to_dict()):
        return no(trouble)
    if request.args.get("grant_type") != "client_credential":
        return no(40002)
    with world.books.turn() as page:
        token = accounts.issue_token(page, world.clock, "plain")
    return json_answer({"access_token": token["token"], "expires_in": accounts.TOKEN_SECONDS})


@desk.post("/cgi-bin/stable_token")
@weathered("wechat", "stable_token", ordered)
def stable_token(world: World) -> Response:
    """The same token while it lives; ``force_refresh`` at most 20 times a day and 30 seconds apart."""
    body = json_body()
    if trouble := _app_trouble(world, body):
        return no(trouble)
    if body.get("grant_type") != "client_credential":
        return no(40002)
    with world.books.turn() as page:
        now = world.clock.wire_seconds()
        token = page.get(accounts.TOKENS, "stable")
        if body.get("force_refresh") is True:
            if not _may_force(page, now):
                return no(45009)
            token = None
        if token is None or token["expires_at"] - now < _RENEW_EARLY_SECONDS:
            token = accounts.issue_token(page, world.clock, "stable")
    return json_answer({"access_token": token["token"], "expires_in": int(token["expires_at"] - now)})


@desk.get("/sns/jscode2session")
@weathered("wechat", "login", ordered)
def exchange_login_code(world: World) -> Response:
    """openid and session key for a login code; no errcode on success."""
    sent = request.args.to_dict()
    if trouble := _app_trouble(world, sent):
        return no(trouble)
    if sent.get("grant_type") != "authorization_code":
        return no(40002)
    if not sent.get("js_code"):
        return no(41008)
    with world.books.turn() as page:
        user = accounts.spend_code(page, world.clock, "login", sent["js_code"])
        if isinstance(user, int):
            return no(user)
        if not _login_allowed(world, page, user["openid"]):
            return no(45011)
    return json_answer({name: user[name] for name in ("session_key", "openid", "unionid")})


@desk.post("/wxa/business/getuserphonenumber")
@weathered("wechat", "phone", ordered)
def phone_number(world: World) -> Response:
    """The phone number behind a phone code (not a login code)."""
    with world.books.turn() as page:
        if trouble := accounts.token_trouble(page, world.clock, request.args.get("access_token", "")):
            return no(trouble)
        user = accounts.spend_code(page, world.clock, "phone", str(json_body().get("code", "")))
    if isinstance(user, int):
        return no(40029)
    return json_answer({"errcode": 0, "errmsg": "ok", "phone_info": _phone_info(world, user)})


@desk.post("/wxa/getwxacodeunlimit")
@weathered("wechat", "wxacode", ordered)
def mini_program_code(world: World) -> Response:
    """A picture on success, JSON otherwise."""
    with world.books.turn() as page:
        if trouble := accounts.token_trouble(page, world.clock, request.args.get("access_token", "")):
            return no(trouble)
    body = json_body()
    if not _SCENE.fullmatch(str(body.get("scene", ""))):
        return no(40169)
    if body.get("page") and not PAGE.fullmatch(str(body["page"])):
        return no(41030)
    return Response(_picture(str(body["scene"])), content_type="image/png")


def _app_trouble(world: World, sent: Doc) -> int:
    if not sent.get("appid"):
        return 41002
    if not sent.get("secret"):
        return 41004
    if sent["appid"] != world.keys["WECHAT_APPID"]:
        return 40013
    return 0 if sent["secret"] == world.keys["WECHAT_SECRET"] else 40125


def _may_force(page: Page, now: float) -> bool:
    recent = [doc["at"] for doc in page.last(_FORCED, "", _FORCED_PER_DAY)]
    too_soon = bool(recent) and now - recent[0] < _FORCED_APART_SECONDS
    too_many = len(recent) == _FORCED_PER_DAY and now - recent[-1] < 86_400
    if too_soon or too_many:
        return False
    page.put(_FORCED, str(page.count_up("wechat_forced.number")), {"at": now})
    return True


def _login_allowed(world: World, page: Page, openid: str) -> bool:
    now, limit = world.clock.wire_seconds(), preferences.read(page)["login_per_minute"]
    kept = page.get(_LOGINS, openid) or {"at": []}
    recent = [at for at in kept["at"] if now - at < 60]
    page.put(_LOGINS, openid, {"at": [*recent, now]})
    return limit is None or len(recent) < limit


def _phone_info(world: World, user: Doc) -> Doc:
    stamp = {"timestamp": int(world.clock.wire_seconds()), "appid": world.keys["WECHAT_APPID"]}
    return {
        "phoneNumber": user["phone"],
        "purePhoneNumber": user["phone"],
        "countryCode": "86",
        "watermark": stamp,
    }


def _picture(scene: str) -> bytes:
    """A 16×16 grey PNG whose dots are the scene's bits: enough to be a picture and to differ."""
    bits = zlib.crc32(scene.encode())
    row = bytes([0]) + bytes(255 * (bits >> column & 1) for column in range(16))
    header = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, content)
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(row * 16)), (b"IEND", b""))
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
