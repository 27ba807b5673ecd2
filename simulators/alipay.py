"""Alipay's one gateway address: ``method`` names the verb, one line each in the table."""

import json
from collections.abc import Callable

from flask import Blueprint, Response, request

from simulators import alipay_accounts, alipay_bills, alipay_trades
from simulators.alipay_seal import Refused, answer, read_call
from simulators.books import Doc, Page
from simulators.world import World, current_world, under_weather, with_world

desk = Blueprint("alipay", __name__, url_prefix="/alipay")

_OK = {"code": "10000", "msg": "Success"}
_TOKEN, _WAP_PAY = "alipay.system.oauth.token", "alipay.trade.wap.pay"


@desk.route("/gateway.do", methods=["POST", "GET"])
def gateway() -> Response:
    """Verify, perform, sign."""
    world, method = current_world(), request.values.get("method", "")
    if method == _WAP_PAY:
        verb, act = "wap_pay", lambda: _open_cashier(world)
    elif method in _VERBS:
        verb, act = _VERBS[method][0], lambda: _perform(world, method)
    else:
        return answer(world, "", Refused("40002", "isv.invalid-method", "不存在的方法名").as_node())
    return under_weather(world, "alipay", verb, act, lambda code: _ordered(world, method, code))


@desk.get("/bill/download")
@with_world
def download_bill(world: World) -> Response:
    """The zip, while its link lives."""
    with world.books.turn() as page:
        content = alipay_bills.fetch(world, page, request.args.get("token", ""))
    if content is None:
        return Response(
            "<html><body>下载链接已失效</body></html>", 200, content_type="text/html;charset=utf-8"
        )
    return Response(content, content_type="application/zip")


def _perform(world: World, method: str) -> Response:
    try:
        params = read_call(world)
        with world.books.turn() as page:
            node = _VERBS[method][1](world, page, params)
    except Refused as refused:
        return _say_no(world, method, refused)
    return answer(world, method, node if method == _TOKEN else _OK | node)


def _say_no(world: World, method: str, refused: Refused) -> Response:
    # A refused token and a call nobody can place are told under error_response.
    return answer(world, "" if method == _TOKEN else method, refused.as_node())


def _ordered(world: World, method: str, code: str) -> Response:
    kind = {"ACQ": "40004", "isv": "40002"}.get(code.partition(".")[0], "20000")
    refused = Refused(kind, code if "." in code else "isp.unknow-error", "系统繁忙")
    return _say_no(world, method, refused)


def _open_cashier(world: World) -> Response:
    """The browser comes with the merchant's signed form; the trade exists from here on."""
    try:
        trade = open_cashier(world, read_call(world))
    except Refused as refused:
        return answer(world, "", refused.as_node())
    address = f"{world.base_url}/phone/cashier/alipay?trade_no={trade['trade_no']}"
    return Response(status=302, headers={"Location": address})


def open_cashier(world: World, params: dict[str, str]) -> Doc:
    """The trade of a browser payment; raises Refused."""
    biz = _biz(params)
    if biz.get("product_code") != "QUICK_WAP_WAY" or not biz.get("quit_url"):
        raise Refused(
            "40004", "ACQ.INVALID_PARAMETER", "参数无效：product_code须为QUICK_WAP_WAY且须传quit_url"
        )
    with world.books.turn() as page:
        return alipay_trades.open_trade(world, page, params, biz)


def _biz(params: dict[str, str]) -> Doc:
    try:
        biz = json.loads(params.get("biz_content") or "{}")
    except ValueError:
        biz = None
    if not isinstance(biz, dict):
        raise Refused("40002", "isv.invalid-biz-content", "biz_content不是JSON对象")
    return biz


def _create(world: World, page: Page, params: dict[str, str]) -> Doc:
    trade = alipay_trades.open_trade(world, page, params, _biz(params))
    return {"out_trade_no": trade["out_trade_no"], "trade_no": trade["trade_no"]}


def _query(world: World, page: Page, params: dict[str, str]) -> Doc:
    return alipay_trades.as_trade(alipay_trades.found(world, page, _biz(params)))


def _close(world: World, page: Page, params: dict[str, str]) -> Doc:
    trade = alipay_trades.close(world, page, alipay_trades.found(world, page, _biz(params)))
    return {"out_trade_no": trade["out_trade_no"], "trade_no": trade["trade_no"]}


def _refund(world: World, page: Page, params: dict[str, str]) -> Doc:
    return alipay_trades.refund(world, page, _biz(params))


def _query_refund(world: World, page: Page, params: dict[str, str]) -> Doc:
    biz = _biz(params)
    trade, number = alipay_trades.found(world, page, biz), str(biz.get("out_request_no", ""))
    refund = page.get(alipay_trades.REFUNDS, f"{trade['out_trade_no']}|{number}")
    if refund is None:
        return {}  # success without a word: there is no such refund
    return {
        "trade_no": trade["trade_no"],
        "out_trade_no": trade["out_trade_no"],
        "out_request_no": number,
        "total_amount": alipay_trades.yuan(trade["fen"]),
        "refund_amount": alipay_trades.yuan(refund["fen"]),
        "refund_reason": refund["reason"],
        "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": refund["at"],
    }


def _bill(world: World, page: Page, params: dict[str, str]) -> Doc:
    return alipay_bills.offer(world, page, _biz(params))


def _send(world: World, page: Page, params: dict[str, str]) -> Doc:
    return alipay_accounts.send(world, page, _biz(params))


# method -> name among the faults, deed
_VERBS: dict[str, tuple[str, Callable[[World, Page, dict[str, str]], Doc]]] = {
    _TOKEN: ("token", alipay_accounts.exchange_code),
    "alipay.trade.create": ("create", _create),
    "alipay.trade.query": ("query", _query),
    "alipay.trade.close": ("close", _close),
    "alipay.trade.refund": ("refund", _refund),
    "alipay.trade.fastpay.refund.query": ("query_refund", _query_refund),
    "alipay.data.dataservice.bill.downloadurl.query": ("bill", _bill),
    "alipay.open.app.mini.templatemessage.send": ("send", _send),
}
