"""WeChat's message push in safe mode: JSON inside AES-256-CBC, signed with the push token."""

import base64
import hashlib
import json
import secrets
from urllib.parse import urlencode

import requests

from simulators.answers import number_text
from simulators.books import Doc
from simulators.outbox import Route, Sealed
from simulators.signing import cbc_encrypt, sorted_sha1
from simulators.world import World

_PATH = "/callbacks/notifications/wechat"


def route(world: World) -> Route:
    """How pushes travel; the product answers ``success`` or nothing at all."""
    return Route(
        lambda content, forged: _seal(world, content, forged),
        lambda status, answer: status == 200 and answer.strip() in (b"success", b""),
    )


def check_address(world: World) -> tuple[int, bool]:
    """The console's address check: GET with an echostr that must come back. Returns status and success."""
    timestamp, nonce, echo = _stamp(world), number_text(9), number_text(19)
    signature = sorted_sha1(world.keys["WECHAT_PUSH_TOKEN"], timestamp, nonce)
    query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echo}
    answer = requests.get(world.product_base_url + _PATH, params=query, timeout=(3, 5))
    return answer.status_code, answer.text == echo


def encrypt(aes_key: str, appid: str, message: bytes) -> str:
    """``random16 + length(4, big endian) + message + appid``, padded to 32, IV = key[:16], base64."""
    key = base64.b64decode(aes_key + "=")
    plain = secrets.token_hex(8).encode() + len(message).to_bytes(4, "big") + message + appid.encode()
    return base64.b64encode(cbc_encrypt(key, key[:16], plain, block=32)).decode()


def _seal(world: World, content: Doc, forged: str) -> Sealed:
    account = "gh_" + hashlib.sha256(world.keys["WECHAT_APPID"].encode()).hexdigest()[:12]
    message = json.dumps({"ToUserName": account} | content, ensure_ascii=False).encode()
    sealed = encrypt(world.keys["WECHAT_PUSH_AES_KEY"], world.keys["WECHAT_APPID"], message)
    token = "not-the-token" if forged else world.keys["WECHAT_PUSH_TOKEN"]
    timestamp, nonce = _stamp(world), number_text(9)
    query = {
        "signature": sorted_sha1(token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "openid": content["FromUserName"],
        "encrypt_type": "aes",
        "msg_signature": sorted_sha1(token, timestamp, nonce, sealed),
    }
    body = json.dumps({"ToUserName": account, "Encrypt": sealed}).encode()
    url = f"{world.product_base_url}{_PATH}?{urlencode(query)}"
    return Sealed(url, {"Content-Type": "application/json"}, body)


def _stamp(world: World) -> str:
    return str(int(world.clock.wire_seconds()))
