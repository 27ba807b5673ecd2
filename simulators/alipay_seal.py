"""Alipay on the wire: RSA2 over sorted parameters one way, over the exact JSON substring the other way.

Answers escape ``/`` as some of the real gateways do: whoever verifies re-serialised JSON is found out here.
"""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from simulators.books import Doc
from simulators.clock import from_plain, plain
from simulators.outbox import Route, Sealed
from simulators.signing import rsa_sign, rsa_verifies
from simulators.world import World

_CLOCK_SLACK = timedelta(minutes=10)
_MESSAGES = {
    "20000": "Service Currently Unavailable",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
}


class Refused(Exception):
    """Alipay says no: gateway code, sub code, sub message."""

    def __init__(self, code: str, sub_code: str, sub_msg: str) -> None:
        super().__init__(sub_code)
        self.code, self.sub_code, self.sub_msg = code, sub_code, sub_msg

    def as_node(self) -> Doc:
        """The refusal as the node of an answer."""
        told = {"code": self.code, "msg": _MESSAGES[self.code], "sub_code": self.sub_code}
        return told | {"sub_msg": self.sub_msg}


def business_refusal(sub_code: str, sub_msg: str) -> Refused:
    """A refusal for a reason of the trade itself (40004)."""
    return Refused("40004", sub_code, sub_msg)


def read_call(world: World) -> dict[str, str]:
    """The parameters, query and body merged; raises Refused unless our application signed them just now."""
    return verified(world, {**request.args.to_dict(), **request.form.to_dict()})


def verified(world: World, params: dict[str, str]) -> dict[str, str]:
    """The parameters of a call, if our application signed them just now; raises Refused."""
    for name in ("method", "app_id", "sign_type", "sign", "timestamp", "version"):
        if not params.get(name):
            raise Refused("40001", f"isv.missing-{name.replace('_', '-')}", f"缺少{name}参数")
    if params["app_id"] != world.keys["ALIPAY_APPID"]:
        raise Refused("40002", "isv.invalid-app-id", "无效的AppID参数")
    if params["sign_type"] != "RSA2" or params.get("charset", "utf-8").lower() != "utf-8":
        raise Refused("40002", "isv.invalid-signature-type", "无效的签名类型或字符集")
    if not rsa_verifies(world.keys.pairs["alipay_app"].public_key(), request_text(params), params["sign"]):
        raise Refused("40002", "isv.invalid-signature", "验签出错，请检查签名内容与密钥是否匹配")
    if not _fresh(world, params["timestamp"]):
        raise Refused("40002", "isv.invalid-timestamp", "非法的时间戳参数，应为北京时间")
    return params


def request_text(params: dict[str, str]) -> bytes:
    """What a request signs: all but ``sign``, no empty values, sorted, ``k=v`` joined by ``&``."""
    kept = sorted((name, value) for name, value in params.items() if name != "sign" and value != "")
    return "&".join(f"{name}={value}" for name, value in kept).encode()


def answer(world: World, method: str, node: Doc) -> Response:
    """A signed answer: the signature covers the node's text as sent."""
    name = method.replace(".", "_") + "_response" if method else "error_response"
    text = json.dumps(node, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    sign = rsa_sign(world.keys.pairs["alipay_platform"], text.encode())
    body = f'{{"{name}":{text},"sign":"{sign}"}}'
    return Response(body, content_type="text/html;charset=utf-8")


def route(world: World) -> Route:
    """How notices travel; content with exactly ``success``.

    Forgeries: ``amount``, ``app``, ``seller`` (rightly signed, another value); anything else is a wrong signature.
    """
    return Route(
        lambda content, forged: _seal(world, content, forged),
        lambda status, answer: status == 200 and answer == b"success",
    )


def _seal(world: World, content: Doc, forged: str) -> Sealed:
    fields: dict[str, Any] = content["fields"] | {"notify_time": plain(world.clock.now())}
    fields |= _spoilt(forged)
    text = "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()
    if forged == "signature":
        text += b"!"
    sign = rsa_sign(world.keys.pairs["alipay_platform"], text)
    body = urlencode(fields | {"sign_type": "RSA2", "sign": sign}).encode()
    return Sealed(content["url"], {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, body)


def _spoilt(forged: str) -> dict[str, str]:
    others = {
        "amount": {"total_amount": "0.01", "receipt_amount": "0.01"},
        "app": {"app_id": "2021000000000000"},
        "seller": {"seller_id": "2088000000000000"},
    }
    return others.get(forged, {})


def _fresh(world: World, text: str) -> bool:
    try:
        sent = from_plain(text)
    except ValueError:
        return False
    return abs(world.clock.wire_local() - sent) <= _CLOCK_SLACK
