"""The fake phone: one page where a person reads what came, answers cashiers, and plays the courier.

The page stands for the WeChat and Alipay apps themselves, so its answers need no parameters signed by the merchant.
"""

from flask import Blueprint, Response, render_template, request

from simulators import kdniao, kdniao_parcels, phone_view
from simulators.answers import json_answer, json_body, refuse
from simulators.control import only_json
from simulators.kdniao_tables import STEPS
from simulators.world import World, with_world

desk = Blueprint("phone", __name__, url_prefix="/phone")
desk.before_request(only_json)


@desk.after_request
def forbid_strangers(response: Response) -> Response:
    """Nothing but our own script runs on these pages, and nobody frames them."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@desk.get("", strict_slashes=False)
def show_phone() -> Response:
    """The page; its script fetches the rest."""
    return Response(render_template("phone.html"))


@desk.get("/state")
@with_world
def show_state(world: World) -> Response:
    """``?phone=`` → people, messages newest first, payments that wait, parcels of this phone."""
    with world.books.turn() as page:
        people = phone_view.people(page)
        phone = request.args.get("phone") or people[0]["phone"]
        return json_answer(
            {
                "phone": phone,
                "people": people,
                "clock": phone_view.clock_text(world),
                "messages": phone_view.messages(page, phone),
                "payments": phone_view.payments(world, page, phone),
                "parcels": phone_view.parcels(page, phone),
            }
        )


@desk.get("/cashier/<provider>")
@with_world
def show_cashier(world: World, provider: str) -> Response:
    """The cashier a browser is sent to by an H5 or WAP payment."""
    cashier = phone_view.CASHIERS.get(provider)
    number = request.args.get("prepay_id") or request.args.get("trade_no") or ""
    with world.books.turn() as page:
        order = None if cashier is None else cashier.find(world, page, number)
    if cashier is None or order is None:
        return refuse("no such payment", 404)
    back = request.args.get("redirect_url") or order.get("return_url") or ""
    return Response(
        render_template(
            "cashier.html",
            payment=cashier.describe(order),
            back=back if back.startswith(world.product_base_url + "/") else "",
        )
    )


@desk.post("/decide")
@with_world
def decide(world: World) -> Response:
    """``{provider: wxpay|alipay, number, decision: approve|refuse}`` → ``{state}``."""
    body = json_body()
    cashier = phone_view.CASHIERS.get(str(body.get("provider")))
    if cashier is None or body.get("decision") not in ("approve", "refuse"):
        return refuse("provider or decision unknown")
    with world.books.turn() as page:
        order = cashier.find(world, page, str(body.get("number", "")))
        if order is None:
            return refuse("no such payment", 404)
        if reason := cashier.unpayable(world, order):
            return refuse(reason, 409)
        return json_answer({"state": cashier.decide(world, page, order, body["decision"])})


@desk.post("/step")
@with_world
def step(world: World) -> Response:
    """``{order_code, to}``: the courier's next step."""
    body = json_body()
    if body.get("to") not in STEPS:
        return refuse("no such step")
    with world.books.turn() as page:
        parcel = page.get(kdniao_parcels.PARCELS, str(body.get("order_code", "")))
        if parcel is None:
            return refuse("no such parcel", 404)
        try:
            return json_answer({"step": kdniao.advance(world, page, parcel, body["to"], {})["step"]})
        except kdniao_parcels.Impossible as impossible:
            return refuse(str(impossible), 409)
