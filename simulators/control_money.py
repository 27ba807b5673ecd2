"""What people do with their purses, at the control desk: answer a cashier; and how a refund ends."""

from flask import Blueprint, Response, request

from simulators import alipay_accounts, alipay_trades, population, wxpay_orders, wxpay_refunds, wxpay_seal
from simulators.answers import json_answer, json_body, refuse
from simulators.books import Doc
from simulators.control import only_json
from simulators.world import World, with_world

desk = Blueprint("control_money", __name__, url_prefix="/control")
desk.before_request(only_json)

_DECISIONS = ("approve", "refuse", "fail")


@desk.post("/wxpay/pay")
@with_world
def wxpay_pay(world: World) -> Response:
    """``{prepay_id?, openid, decision, appId, timeStamp, nonceStr, package, signType, paySign}`` → ``{trade_state}``.

    The client's parameters (flat or under ``params``) must be signed by the merchant, as the WeChat client demands.
    ``late``: the payer's bank was slow, and the money of a person who had paid in time comes after the closing.
    """
    body = json_body()
    params = body.get("params", body)
    prepay_id = str(params.get("package", "")).removeprefix("prepay_id=")
    if body.get("decision") not in _DECISIONS:
        return refuse(f"decision must be one of {', '.join(_DECISIONS)}")
    if body.get("prepay_id", prepay_id) != prepay_id:
        return refuse("package does not hold this prepay_id")
    if params.get("appId", world.keys["WECHAT_APPID"]) != world.keys["WECHAT_APPID"]:
        return refuse("appId is not the merchant's")
    signed = {"appId": world.keys["WECHAT_APPID"]} | params
    if not wxpay_seal.verifies_pay_sign(world, signed):
        return refuse("paySign does not fit", 403)
    with world.books.turn() as page:
        order = wxpay_orders.by_prepay(world, page, prepay_id)
        if order is None or order["openid"] != body.get("openid"):
            return refuse("no such prepay_id for this openid", 404)
        if reason := "" if _comes_late(body, order["state"]) else wxpay_orders.unpayable(world, order):
            return refuse(reason, 409)
        return _paid(wxpay_orders.pay(world, page, order, order["openid"], body["decision"]))


@desk.post("/wxpay/refunds")
@with_world
def wxpay_conclude_refund(world: World) -> Response:
    """``{out_refund_no, outcome: SUCCESS|ABNORMAL|CLOSED}`` for a refund held in PROCESSING.

    One that is ABNORMAL is finished by the merchant's people on the platform: SUCCESS or CLOSED.
    """
    body = json_body()
    if body.get("outcome") not in ("SUCCESS", "ABNORMAL", "CLOSED"):
        return refuse("outcome must be SUCCESS, ABNORMAL or CLOSED")
    with world.books.turn() as page:
        refund = wxpay_refunds.current(world, page, str(body.get("out_refund_no", "")))
        if refund is None:
            return refuse("no such refund", 404)
        if refund["status"] not in ("PROCESSING", "ABNORMAL") or refund["status"] == body["outcome"]:
            return refuse(f"refund is {refund['status']}", 409)
        return json_answer({"status": wxpay_refunds.conclude(world, page, refund, body["outcome"])["status"]})


@desk.post("/alipay/login")
@with_world
def alipay_login(world: World) -> Response:
    """``{phone?, name?}`` → ``{auth_code, open_id, user_id, phone, encrypted_phone: {response, sign, ...}}``."""
    body = json_body()
    with world.books.turn() as page:
        named = [p for p in page.all(population.SHELF) if p["name"] == body.get("name")]
        phone = str(body.get("phone") or (named[0]["phone"] if named else population.fresh_phone()))
        user = alipay_accounts.user_of(page, phone)
        code = alipay_accounts.issue_code(world, page, user["open_id"])
    return json_answer(
        user | {"auth_code": code, "encrypted_phone": alipay_accounts.sealed_phone(world, user)}
    )


@desk.post("/alipay/accept")
@with_world
def alipay_accept(world: World) -> Response:
    """``{open_id, template_ids}``: the answer to my.requestSubscribeMessage (at most three)."""
    body = json_body()
    wanted = body.get("template_ids", [])
    if not 1 <= len(wanted) <= 3:
        return refuse("one to three templates are asked at a time")
    with world.books.turn() as page:
        user = alipay_accounts.find(page, str(body.get("open_id", "")))
        if user is None or any(world.templates.alipay(name) is None for name in wanted):
            return refuse("no such open_id or template", 404)
        return json_answer({"grants": alipay_accounts.accept(page, user["open_id"], wanted)})


@desk.get("/alipay/inbox")
@with_world
def alipay_inbox(world: World) -> Response:
    """``?open_id=`` → ``{"messages": [...]}`` like WeChat's, oldest first."""
    with world.books.turn() as page:
        return json_answer({"messages": page.all(alipay_accounts.MESSAGES, request.args.get("open_id", ""))})


@desk.post("/alipay/pay")
@with_world
def alipay_pay(world: World) -> Response:
    """``{trade_no, decision, open_id?, late?}`` → ``{trade_status, result_code}``: my.tradePay's 9000 or 6001."""
    body = json_body()
    if body.get("decision") not in ("approve", "refuse"):
        return refuse("decision must be approve or refuse")
    with world.books.turn() as page:
        trade = alipay_trades.find(world, page, {"trade_no": str(body.get("trade_no", ""))})
        if trade is None or trade["buyer_open_id"] not in ("", body.get("open_id", trade["buyer_open_id"])):
            return refuse("no such trade for this buyer", 404)
        late = _comes_late(body, trade["status"]) and not trade["paid_at"]
        if trade["status"] != "WAIT_BUYER_PAY" and not late:
            return refuse(f"trade is {trade['status']}", 409)
        after = alipay_trades.pay(world, page, trade, body["decision"])
    result_code = "9000" if after["status"] == "TRADE_SUCCESS" else "6001"
    return json_answer({"trade_status": after["status"], "result_code": result_code})


def _comes_late(body: Doc, state: str) -> bool:
    return body.get("late") is True and state in ("CLOSED", "TRADE_CLOSED")


def _paid(order: Doc) -> Response:
    told = ("out_trade_no", "transaction_id")
    return json_answer({name: order[name] for name in told} | {"trade_state": order["state"]})
