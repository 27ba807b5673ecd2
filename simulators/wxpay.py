"""WeChat Pay API v3, direct merchant, public-key mode."""

from flask import Blueprint, Response, request

from simulators import wxpay_bills, wxpay_orders, wxpay_refunds, wxpay_seal
from simulators.answers import json_answer, json_body
from simulators.books import Doc
from simulators.world import World, current_world, weathered
from simulators.wxpay_seal import Refused

desk = Blueprint("wxpay", __name__, url_prefix=wxpay_seal.PREFIX)
_STATUS_OF = {"FREQUENCY_LIMITED": 429, "NOT_ENOUGH": 403, "PARAM_ERROR": 400, "INVALID_REQUEST": 400}


def _ordered(_world: World, code: str) -> Response:
    code = code or "SYSTEM_ERROR"
    return wxpay_seal.refusal(Refused(_STATUS_OF.get(code, 500), code, "系统异常，请稍后重试"))


@desk.before_request
def verify_caller() -> None:
    """Nobody but the merchant, with a fresh signature."""
    wxpay_seal.verify_caller(current_world())


@desk.after_request
def sign_answer(response: Response) -> Response:
    """Answers are signed, refusals too, but not to a caller who is unknown."""
    return wxpay_seal.sign_answer(current_world(), response)


@desk.errorhandler(Refused)
def say_no(refused: Refused) -> Response:
    """Tell the refusal in WeChat Pay's form."""
    return wxpay_seal.refusal(refused)


@desk.post("/v3/pay/transactions/jsapi")
@weathered("wxpay", "prepare", _ordered)
def prepare_jsapi(world: World) -> Response:
    """Open an order for a mini-program payment: ``{prepay_id}``."""
    with world.books.turn() as page:
        order = wxpay_orders.open_order(world, page, "JSAPI", json_body())
    return json_answer({"prepay_id": order["prepay_id"]})


@desk.post("/v3/pay/transactions/h5")
@weathered("wxpay", "prepare_h5", _ordered)
def prepare_h5(world: World) -> Response:
    """Open an order for a browser payment: ``{h5_url}``, here a page of the fake phone."""
    with world.books.turn() as page:
        order = wxpay_orders.open_order(world, page, "MWEB", wxpay_orders.with_scene(json_body()))
    return json_answer({"h5_url": f"{world.base_url}/phone/cashier/wxpay?prepay_id={order['prepay_id']}"})


@desk.get("/v3/pay/transactions/out-trade-no/<out_trade_no>")
@weathered("wxpay", "query", _ordered)
def query_by_number(world: World, out_trade_no: str) -> Response:
    """The order by the merchant's number."""
    _check_merchant(world, request.args.get("mchid"))
    with world.books.turn() as page:
        return _told(world, wxpay_orders.current(world, page, out_trade_no))


@desk.get("/v3/pay/transactions/id/<transaction_id>")
@weathered("wxpay", "query", _ordered)
def query_by_id(world: World, transaction_id: str) -> Response:
    """The order by WeChat Pay's number."""
    _check_merchant(world, request.args.get("mchid"))
    with world.books.turn() as page:
        return _told(world, wxpay_orders.by_transaction(world, page, transaction_id))


@desk.post("/v3/pay/transactions/out-trade-no/<out_trade_no>/close")
@weathered("wxpay", "close", _ordered)
def close(world: World, out_trade_no: str) -> Response:
    """Close an unpaid order: 204."""
    _check_merchant(world, json_body().get("mchid"))
    with world.books.turn() as page:
        order = wxpay_orders.current(world, page, out_trade_no)
        if order is None:
            raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
        wxpay_orders.close(page, order)
    return Response(status=204, content_type="application/json")


@desk.post("/v3/refund/domestic/refunds")
@weathered("wxpay", "refund", _ordered)
def ask_refund(world: World) -> Response:
    """Ask for a refund: PROCESSING at first."""
    with world.books.turn() as page:
        return json_answer(wxpay_refunds.as_answer(wxpay_refunds.ask_refund(world, page, json_body())))


@desk.get("/v3/refund/domestic/refunds/<out_refund_no>")
@weathered("wxpay", "query_refund", _ordered)
def query_refund(world: World, out_refund_no: str) -> Response:
    """The refund by the merchant's number."""
    with world.books.turn() as page:
        refund = wxpay_refunds.current(world, page, out_refund_no)
    if refund is None:
        raise Refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
    return json_answer(wxpay_refunds.as_answer(refund))


@desk.get("/v3/bill/tradebill")
@weathered("wxpay", "tradebill", _ordered)
def trade_bill(world: World) -> Response:
    """Where the trade bill of a day lies."""
    kind = request.args.get("bill_type", "ALL")
    if kind not in ("ALL", "SUCCESS", "REFUND"):
        raise Refused(400, "PARAM_ERROR", "参数错误：bill_type")
    with world.books.turn() as page:
        bill = wxpay_bills.trade_bill(world, page, request.args.get("bill_date", ""), kind)
        return json_answer(wxpay_bills.offer(world, page, bill, _packed()))


@desk.get("/v3/bill/fundflowbill")
@weathered("wxpay", "fundflowbill", _ordered)
def fundflow_bill(world: World) -> Response:
    """Where the fund-flow bill of a day lies."""
    with world.books.turn() as page:
        bill = wxpay_bills.fundflow_bill(world, page, request.args.get("bill_date", ""))
        return json_answer(wxpay_bills.offer(world, page, bill, _packed()))


@desk.get("/v3/billdownload/file")
@weathered("wxpay", "download", _ordered)
def download(world: World) -> Response:
    """The file itself; the answer is not signed."""
    with world.books.turn() as page:
        content = wxpay_bills.fetch(world, page, request.args.get("token", ""))
    return Response(content, content_type="application/octet-stream")


@desk.get("/v3/certificates")
@weathered("wxpay", "certificates", _ordered)
def certificates(_world: World) -> Response:
    """Closed to merchants in public-key mode."""
    raise Refused(403, "NO_AUTH", "商户处于微信支付公钥模式，无平台证书")


def _told(world: World, order: Doc | None) -> Response:
    if order is None:
        raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
    return json_answer(wxpay_orders.as_transaction(world, order))


def _check_merchant(world: World, mchid: object) -> None:
    if mchid != world.keys["WXPAY_MCHID"]:
        raise Refused(400, "PARAM_ERROR", "mchid与签名商户不一致")


def _packed() -> bool:
    return request.args.get("tar_type") == "GZIP"
