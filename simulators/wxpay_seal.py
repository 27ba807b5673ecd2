"""WeChat Pay v3 on the wire: who may call, how answers are signed, how notices are encrypted.

Signed path = the one below this provider's base URL, query included, exactly as it came.
"""

import json
import re
import secrets
from typing import Any

from flask import Response, request

from simulators.answers import json_answer
from simulators.books import Doc
from simulators.clock import rfc3339
from simulators.outbox import Route, Sealed
from simulators.signing import gcm_seal, rsa_sign, rsa_verifies, same
from simulators.world import World

PREFIX = "/wxpay"
_SCHEMA = "WECHATPAY2-SHA256-RSA2048"
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_WINDOW_SECONDS = 300
_FIELDS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}


class Refused(Exception):
    """WeChat Pay says no: HTTP status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def refusal(refused: Refused) -> Response:
    """The refusal in WeChat Pay's form."""
    return json_answer({"code": refused.code, "message": refused.message}, refused.status)


def verify_caller(world: World) -> None:
    """Raise Refused (401 SIGN_ERROR, mostly) unless our merchant signed this very request just now."""
    schema, _, rest = request.headers.get("Authorization", "").partition(" ")
    sent = dict(_FIELD.findall(rest))
    if schema != _SCHEMA or set(sent) != _FIELDS:
        raise Refused(
            401, "SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》"
        )
    if not same(sent["mchid"], world.keys["WXPAY_MCHID"]):
        raise Refused(401, "SIGN_ERROR", "商户号错误")
    if not same(sent["serial_no"], world.keys["WXPAY_MERCHANT_SERIAL"]):
        raise Refused(401, "SIGN_ERROR", "商户证书序列号有误")
    if not _fresh(world, sent["timestamp"]):
        raise Refused(401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    target = request.environ["REQUEST_URI"].removeprefix(PREFIX)
    head = f"{request.method}\n{target}\n{sent['timestamp']}\n{sent['nonce_str']}\n"
    text = head.encode() + request.get_data() + b"\n"
    if not rsa_verifies(world.keys.pairs["wxpay_merchant"].public_key(), text, sent["signature"]):
        raise Refused(401, "SIGN_ERROR", "签名错误，请检查后再试")
    serial = request.headers.get("Wechatpay-Serial")
    if serial is not None and serial != world.keys["WXPAY_PUBLIC_KEY_ID"]:
        raise Refused(400, "PARAM_ERROR", "Wechatpay-Serial不是本商户的微信支付公钥ID")


def sign_answer(world: World, response: Response) -> Response:
    """Put the five headers on a JSON or empty answer, a refusal too.

    Gateway trouble, files, and what is told to a caller whose own signature was wrong go unsigned.
    """
    if response.mimetype == "application/json" and response.status_code != 401:
        response.headers.update(_headers(world, response.get_data()))
        response.headers["Request-ID"] = secrets.token_hex(16).upper()
    return response


def verifies_pay_sign(world: World, params: Doc) -> bool:
    """True when the merchant signed the parameters handed to wx.requestPayment (or chooseWXPay)."""
    names = ("appId", "timeStamp", "nonceStr", "package")
    text = "".join(f"{params.get(name, '')}\n" for name in names)
    key = world.keys.pairs["wxpay_merchant"].public_key()
    return params.get("signType") == "RSA" and rsa_verifies(
        key, text.encode(), str(params.get("paySign", ""))
    )


def notice(world: World, event_type: str, original_type: str, summary: str, url: str, resource: Doc) -> Doc:
    """A notice as it lies in the outbox: encrypted only when it leaves."""
    return {
        "url": url,
        "id": f"EV-{secrets.token_hex(16)}",
        "create_time": rfc3339(world.clock.now()),
        "event_type": event_type,
        "summary": summary,
        "original_type": original_type,
        "resource": resource,
    }


def route(world: World) -> Route:
    """How notices travel; only the status of the answer counts.

    Forgeries: ``signtest`` (WeChat's own probe), ``stale`` (signed an hour ago), ``serial`` (a key nobody knows),
    ``amount`` (rightly signed, another sum); anything else is a wrong signature.
    """
    return Route(
        lambda content, forged: _seal(world, content, forged), lambda status, _answer: 200 <= status < 300
    )


def _seal(world: World, content: Doc, forged: str) -> Sealed:
    resource = _other_amount(content["resource"]) if forged == "amount" else content["resource"]
    nonce = secrets.token_hex(6)
    sealed = {
        "original_type": content["original_type"],
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": gcm_seal(
            world.keys["WXPAY_APIV3_KEY"],
            nonce,
            content["original_type"],
            json.dumps(resource, ensure_ascii=False).encode(),
        ),
        "associated_data": content["original_type"],
        "nonce": nonce,
    }
    told = {name: content[name] for name in ("id", "create_time", "event_type", "summary")}
    body = json.dumps(
        told | {"resource_type": "encrypt-resource", "resource": sealed}, ensure_ascii=False
    ).encode()
    headers = _headers(world, body, age_seconds=3600 if forged == "stale" else 0)
    headers |= _spoilt(world, headers, body, forged)
    return Sealed(content["url"], {"Content-Type": "application/json"} | headers, body)


def _headers(world: World, body: bytes, age_seconds: int = 0) -> dict[str, str]:
    timestamp, nonce = str(int(world.clock.wire_seconds()) - age_seconds), secrets.token_hex(16)
    text = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": rsa_sign(world.keys.pairs["wxpay_platform"], text),
        "Wechatpay-Serial": world.keys["WXPAY_PUBLIC_KEY_ID"],
        "Wechatpay-Signature-Type": _SCHEMA,
    }


def _spoilt(world: World, headers: dict[str, str], body: bytes, forged: str) -> dict[str, str]:
    if forged in ("", "stale", "amount"):
        return {}
    if forged == "serial":
        return {"Wechatpay-Serial": secrets.token_hex(20).upper()}
    if forged == "signtest":
        return {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/" + headers["Wechatpay-Signature"]}
    return {"Wechatpay-Signature": rsa_sign(world.keys.pairs["wxpay_platform"], body)}


def _other_amount(resource: Doc) -> Doc:
    amount: dict[str, Any] = resource["amount"]
    return resource | {
        "amount": {name: value + 1 if isinstance(value, int) else value for name, value in amount.items()}
    }


def _fresh(world: World, timestamp: str) -> bool:
    return (
        timestamp.isdecimal()
        and len(timestamp) < 20
        and abs(world.clock.wire_seconds() - int(timestamp)) <= _WINDOW_SECONDS
    )
