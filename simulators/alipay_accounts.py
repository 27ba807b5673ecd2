"""Alipay accounts: authorisation codes, tokens, the sealed phone number, template messages and their consents."""

import base64
import hashlib
import json
import secrets
from typing import Any

from simulators import population
from simulators.alipay_seal import Refused, business_refusal
from simulators.books import Doc, Page
from simulators.clock import plain
from simulators.signing import cbc_encrypt, rsa_sign
from simulators.world import World

USERS, CODES, GRANTS, MESSAGES = "alipay.user", "alipay.code", "alipay.grant", "alipay.message"
_CODE_SECONDS = 300
_LONGEST_DATA = 2048


def user_of(page: Page, phone: str) -> Doc:
    """The account bound to this phone, opened at first use."""
    open_id = population.account_id("alipay", phone)
    user = page.get(USERS, open_id)
    if user is None:
        # 2088 and 12 digits, steady for one phone.
        serial = int(hashlib.sha256(open_id.encode()).hexdigest(), 16) % 10**12
        user = {"open_id": open_id, "user_id": f"2088{serial:012d}", "phone": phone}
        page.put(USERS, open_id, user, topic=user["user_id"])
    return user


def find(page: Page, name: str) -> Doc | None:
    """The account by open id or user id."""
    user = page.get(USERS, name)
    return user if user is not None else next(iter(page.all(USERS, name)), None)


def logon_id(user: Doc) -> str:
    """The login name as merchants may see it."""
    return f"{user['phone'][:3]}******{user['phone'][-2:]}"


def issue_code(world: World, page: Page, open_id: str) -> str:
    """A one-time authorisation code, good for five minutes."""
    code = secrets.token_hex(16)
    expires_at = world.clock.wire_seconds() + _CODE_SECONDS
    page.put(CODES, code, {"open_id": open_id, "expires_at": expires_at, "used": False})
    return code


def exchange_code(world: World, page: Page, params: dict[str, str]) -> Doc:
    """The token answer for a code; an application in open-id mode is told no user_id. Raises Refused."""
    if params.get("grant_type") != "authorization_code":
        raise Refused("40002", "isv.grant-type-invalid", "授权类型grant_type无效")
    note = page.get(CODES, params.get("code", ""))
    if note is None or note["used"] or note["expires_at"] < world.clock.wire_seconds():
        raise Refused("40002", "isv.code-invalid", "授权码code无效")
    page.put(CODES, params["code"], note | {"used": True})
    return {
        "access_token": "authusrB" + secrets.token_hex(16),
        "refresh_token": "authusrB" + secrets.token_hex(16),
        "expires_in": 1296000,
        "re_expires_in": 2592000,
        "auth_start": plain(world.clock.wire_local()),
        "open_id": note["open_id"],
    }


def sealed_phone(world: World, user: Doc) -> Doc:
    """What ``my.getPhoneNumber`` gives the page: AES-128-CBC with a zero IV, signed over the quoted text."""
    plain_text = json.dumps({"code": "10000", "msg": "Success", "mobile": user["phone"]}).encode()
    key = base64.b64decode(world.keys["ALIPAY_AES_KEY"])
    response = base64.b64encode(cbc_encrypt(key, bytes(16), plain_text)).decode()
    sign = rsa_sign(world.keys.pairs["alipay_platform"], f'"{response}"'.encode())
    return {
        "response": response,
        "sign": sign,
        "sign_type": "RSA2",
        "encrypt_type": "AES",
        "charset": "UTF-8",
    }


def accept(page: Page, open_id: str, template_ids: list[str]) -> list[Doc]:
    """The person agrees to ``my.requestSubscribeMessage``; returns all consents."""
    for template_id in template_ids:
        grant = _grant(page, open_id, template_id)
        _keep_grant(page, grant | {"accepted": grant["accepted"] + 1})
    return page.all(GRANTS, open_id)


def send(world: World, page: Page, wish: Doc) -> Doc:
    """Send a template message; raises Refused. The sub codes of this verb are not confirmed."""
    user = find(page, str(wish.get("to_open_id") or wish.get("to_user_id") or ""))
    if user is None:
        raise business_refusal("USER_NOT_EXIST", "用户不存在")
    template = world.templates.alipay(str(wish.get("user_template_id", "")))
    if template is None:
        raise business_refusal("USER_TEMPLATE_ID_ERROR", "模板不存在")
    values = _keywords(wish.get("data"), template.fields)
    grant = _grant(page, user["open_id"], template.id)
    left = grant["accepted"] > 0 if template.long_term else grant["accepted"] > grant["used"]
    if not left:
        raise business_refusal("USER_NOT_SUBSCRIBE", "用户未订阅该消息")
    _keep_grant(page, grant | {"used": grant["used"] + 1})
    fields = [
        {"key": name, "label": template.labels.get(name, ""), "value": values[name]}
        for name in template.fields
    ]
    message = {
        "id": f"alipay-{page.count_up('alipay_message.number')}",
        "open_id": user["open_id"],
        "template_id": template.id,
        "title": template.title,
        "fields": fields,
        "page": str(wish.get("page", "")),
        "sent_at": world.clock.now().isoformat(),
    }
    page.put(MESSAGES, message["id"], message, topic=user["open_id"])
    return {}


def _keywords(data: Any, fields: tuple[str, ...]) -> dict[str, str]:
    text = data if isinstance(data, str) else json.dumps(data)
    try:
        given = json.loads(text)
        values = {name: str(given[name]["value"]) for name in fields}
    except (ValueError, KeyError, TypeError):
        raise business_refusal("TEMPLATE_DATA_INVALID", "模板数据与关键词不匹配") from None
    if len(text) > _LONGEST_DATA or not all(values.values()) or set(given) - set(fields):
        raise business_refusal("TEMPLATE_DATA_INVALID", "模板数据与关键词不匹配")
    return values


def _grant(page: Page, open_id: str, template_id: str) -> Doc:
    nothing = {"open_id": open_id, "template_id": template_id, "accepted": 0, "used": 0}
    return page.get(GRANTS, f"{open_id}|{template_id}") or nothing


def _keep_grant(page: Page, grant: Doc) -> None:
    page.put(GRANTS, f"{grant['open_id']}|{grant['template_id']}", grant, topic=grant["open_id"])
