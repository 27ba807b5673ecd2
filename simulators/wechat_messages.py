"""Subscribe messages: what users accepted, what was sent, and the events WeChat pushes about both.

One accept of a one-time template is one message; a long-term template stays open until the user closes it.
"""

from typing import Any

from flask import Blueprint, Response, request

from simulators import wechat_accounts as accounts
from simulators import wechat_fields
from simulators.answers import json_answer, json_body
from simulators.books import Doc, Page
from simulators.templates import CardTemplate
from simulators.wechat import PAGE
from simulators.wechat_answers import no, ordered
from simulators.world import World, weathered

desk = Blueprint("wechat_messages", __name__, url_prefix="/wechat")

GRANTS, MESSAGES = "wechat.grant", "wechat.message"
_FIRST_MSGID = 3_000_000_000_000_000_000
_STATES = {"", "developer", "trial", "formal"}


@desk.post("/cgi-bin/message/subscribe/send")
@weathered("wechat", "send", ordered)
def send(world: World) -> Response:
    """Send one message; refusals in the order token, user, template, page, fields, grant."""
    body = json_body()
    with world.books.turn() as page:
        if trouble := accounts.token_trouble(page, world.clock, request.args.get("access_token", "")):
            return no(trouble)
        openid = str(body.get("touser", ""))
        if page.get(accounts.USERS, openid) is None:
            return no(40003)
        template = world.templates.wechat(str(body.get("template_id", "")))
        if template is None:
            return no(40037)
        if body.get("page") and not PAGE.fullmatch(str(body["page"])):
            return no(41030)
        if detail := _bad_argument(body, template):
            return no(47003, detail)
        if not _spend_grant(page, openid, template):
            return no(43101)
        msgid = _FIRST_MSGID + page.count_up("wechat_message.number")
        _keep(world, page, openid, template, body, msgid)
        sent = {"TemplateId": template.id, "MsgID": str(msgid), "ErrorCode": "0", "ErrorStatus": "success"}
        tell(world, page, openid, "subscribe_msg_sent_event", [sent])
    return json_answer({"errcode": 0, "errmsg": "ok", "msgid": msgid})


def decide(world: World, page: Page, openid: str, accepted: list[str], refused: list[str]) -> None:
    """The user answers ``wx.requestSubscribeMessage``; the product is told."""
    said = []
    for template_id, status in [(t, "accept") for t in accepted] + [(t, "reject") for t in refused]:
        grant = _grant(page, openid, template_id)
        if status == "accept":
            _keep_grant(page, grant | {"accepted": grant["accepted"] + 1, "open": True})
        said.append({"TemplateId": template_id, "SubscribeStatusString": status, "PopupScene": "0"})
    tell(world, page, openid, "subscribe_msg_popup_event", said)


def close_grants(world: World, page: Page, openid: str, template_ids: list[str]) -> None:
    """The user closes templates in the settings: what was left is gone; the product is told."""
    for template_id in template_ids:
        grant = _grant(page, openid, template_id)
        _keep_grant(page, grant | {"accepted": grant["used"], "open": False})
    said = [{"TemplateId": template_id, "SubscribeStatusString": "reject"} for template_id in template_ids]
    tell(world, page, openid, "subscribe_msg_change_event", said)


def tell(world: World, page: Page, openid: str, event: str, said: list[Doc]) -> None:
    """Push an event; ``List`` is an object when single, an array when several."""
    content = {
        "FromUserName": openid,
        "CreateTime": str(int(world.clock.wire_seconds())),
        "MsgType": "event",
        "Event": event,
        "List": said[0] if len(said) == 1 else said,
    }
    world.outbox.post(page, "wechat", event, openid, content)


def _bad_argument(body: Doc, template: CardTemplate) -> str:
    if str(body.get("miniprogram_state", "")) not in _STATES:
        return " miniprogram_state invalid"
    data = body.get("data")
    if not isinstance(data, dict):
        return " data invalid"
    if strange := sorted(set(data) - set(template.fields)):
        return f" data.{strange[0]} is not a keyword of the template"
    for name in template.fields:
        value = _value(data, name)
        if not value.strip():
            return f" data.{name}.value is empty"
        if not wechat_fields.fits(name, value):
            return f" data.{name}.value invalid"
    return ""


def _value(data: Doc, name: str) -> str:
    entry: Any = data.get(name)
    value = entry.get("value") if isinstance(entry, dict) else None
    return str(value) if isinstance(value, str | int | float) else ""


def _grant(page: Page, openid: str, template_id: str) -> Doc:
    nothing = {"openid": openid, "template_id": template_id, "accepted": 0, "used": 0, "open": False}
    return page.get(GRANTS, f"{openid}|{template_id}") or nothing


def _keep_grant(page: Page, grant: Doc) -> None:
    page.put(GRANTS, f"{grant['openid']}|{grant['template_id']}", grant, topic=grant["openid"])


def _spend_grant(page: Page, openid: str, template: CardTemplate) -> bool:
    grant = _grant(page, openid, template.id)
    left = grant["open"] if template.long_term else grant["accepted"] > grant["used"]
    if left:
        _keep_grant(page, grant | {"used": grant["used"] + 1})
    return bool(left)


def _keep(world: World, page: Page, openid: str, template: CardTemplate, body: Doc, msgid: int) -> None:
    fields = [
        {"key": name, "label": template.labels.get(name, ""), "value": _value(body["data"], name)}
        for name in template.fields
    ]
    message = {
        "msgid": msgid,
        "openid": openid,
        "template_id": template.id,
        "title": template.title,
        "fields": fields,
        "page": str(body.get("page", "")),
        "sent_at": world.clock.now().isoformat(),
    }
    page.put(MESSAGES, str(msgid), message, topic=openid)
