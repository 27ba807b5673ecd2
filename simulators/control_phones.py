"""What people do with their phones, at the control desk: log in, accept messages, read what came."""

from flask import Blueprint, Response, request

from simulators import population, sms_limits, wechat_messages, wechat_push
from simulators import wechat_accounts as accounts
from simulators.answers import json_answer, json_body, refuse
from simulators.control import only_json
from simulators.world import World, with_world

desk = Blueprint("control_phones", __name__, url_prefix="/control")
desk.before_request(only_json)


@desk.post("/wechat/login")
@with_world
def wechat_login(world: World) -> Response:
    """``{phone?}`` → ``{code, phone_code, openid, phone}``: wx.login and the phone-number button in one."""
    phone = str(json_body().get("phone") or population.fresh_phone())
    with world.books.turn() as page:
        openid = accounts.user_of(page, phone)["openid"]
        codes = [accounts.issue_code(page, world.clock, kind, openid) for kind in ("login", "phone")]
    return json_answer({"code": codes[0], "phone_code": codes[1], "openid": openid, "phone": phone})


@desk.post("/wechat/accept")
@with_world
def wechat_accept(world: World) -> Response:
    """``{openid, template_ids, refused_ids?}``: the answer to wx.requestSubscribeMessage (at most three)."""
    body = json_body()
    openid, accepted, refused = body.get("openid"), body.get("template_ids", []), body.get("refused_ids", [])
    if not 1 <= len(accepted) + len(refused) <= 3:
        return refuse("one to three templates are asked at a time")
    with world.books.turn() as page:
        if page.get(accounts.USERS, str(openid)) is None:
            return refuse("no such openid", 404)
        unknown = [name for name in accepted + refused if world.templates.wechat(name) is None]
        if unknown:
            return refuse(f"not an approved template: {unknown[0]}", 404)
        wechat_messages.decide(world, page, str(openid), accepted, refused)
        return json_answer({"grants": page.all(wechat_messages.GRANTS, str(openid))})


@desk.post("/wechat/close")
@with_world
def wechat_close(world: World) -> Response:
    """``{openid, template_ids}``: the user closes them in the settings; what was left is gone."""
    body = json_body()
    openid = str(body.get("openid", ""))
    with world.books.turn() as page:
        if page.get(accounts.USERS, openid) is None:
            return refuse("no such openid", 404)
        wechat_messages.close_grants(world, page, openid, list(body.get("template_ids", [])))
        return json_answer({"grants": page.all(wechat_messages.GRANTS, openid)})


@desk.post("/wechat/check-address")
@with_world
def wechat_check_address(world: World) -> Response:
    """WeChat's console checks the product's push address: ``{status, echoed}``."""
    status, echoed = wechat_push.check_address(world)
    return json_answer({"status": status, "echoed": echoed})


@desk.get("/wechat/inbox")
@with_world
def wechat_inbox(world: World) -> Response:
    """``?openid=`` → ``{"messages": [{title, fields: [{key, label, value}], page, ...}]}``, oldest first."""
    with world.books.turn() as page:
        return json_answer({"messages": page.all(wechat_messages.MESSAGES, request.args.get("openid", ""))})


@desk.get("/sms/inbox")
@with_world
def sms_inbox(world: World) -> Response:
    """``?phone=`` → ``{"messages": [{text, template, biz_id, parts, sent_at, ...}]}``, oldest first."""
    with world.books.turn() as page:
        return json_answer({"messages": page.all(sms_limits.MESSAGES, request.args.get("phone", ""))})
