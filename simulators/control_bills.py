"""The control desk's drawer for money in browsers and for statements: pay an H5 address, twist tomorrow's bill."""

from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Response

from simulators import alipay, bill_twists, phone_view
from simulators.alipay_seal import Refused, verified
from simulators.answers import json_answer, json_body, refuse
from simulators.control import only_json
from simulators.world import World, with_world

desk = Blueprint("control_bills", __name__, url_prefix="/control")
desk.before_request(only_json)


@desk.post("/h5/pay")
@with_world
def pay_in_browser(world: World) -> Response:
    """``{url, decision: approve|refuse}`` → ``{provider, state}``: open the address as a browser, and decide."""
    body = json_body()
    if body.get("decision") not in ("approve", "refuse"):
        return refuse("decision must be approve or refuse")
    try:
        provider, number = _opened(world, str(body.get("url", "")))
    except Refused as refused:
        return refuse(f"the gateway refuses: {refused.sub_code}", 409)
    cashier = phone_view.CASHIERS.get(provider)
    with world.books.turn() as page:
        order = cashier.find(world, page, number) if cashier else None
        if cashier is None or order is None:
            return refuse("no such payment", 404)
        if reason := cashier.unpayable(world, order):
            return refuse(reason, 409)
        state = cashier.decide(world, page, order, body["decision"])
    return json_answer({"provider": provider, "state": state})


@desk.get("/bills")
@with_world
def show_twists(world: World) -> Response:
    """The twists that stand."""
    with world.books.turn() as page:
        return json_answer({"twists": page.all(bill_twists.SHELF)})


@desk.post("/bills")
@with_world
def twist_bill(world: World) -> Response:
    """``{provider: wxpay|alipay, kind, day?, number?, fen?, count?, times?}``; see ``simulators.bill_twists``."""
    try:
        with world.books.turn() as page:
            return json_answer(bill_twists.order(page, json_body()), 201)
    except bill_twists.MalformedTwist as malformed:
        return refuse(str(malformed))


@desk.delete("/bills")
@with_world
def straighten_bills(world: World) -> Response:
    """Statements are true again."""
    with world.books.turn() as page:
        return json_answer({"cleared": bill_twists.clear(page)})


def _opened(world: World, url: str) -> tuple[str, str]:
    """Provider and number of the payment an address opens; an Alipay trade begins with it. Raises Refused."""
    asked = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    if url.startswith(f"{world.base_url}/phone/cashier/wxpay?"):
        return "wxpay", asked.get("prepay_id", "")
    if url.startswith(f"{world.base_url}/alipay/gateway.do?"):
        return "alipay", str(alipay.open_cashier(world, verified(world, asked))["trade_no"])
    return "", ""
