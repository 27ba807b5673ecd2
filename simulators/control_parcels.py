"""What couriers do, at the control desk."""

from flask import Blueprint, Response

from simulators import kdniao, kdniao_parcels
from simulators.answers import json_answer, json_body, refuse
from simulators.books import Doc, Page
from simulators.control import only_json
from simulators.kdniao_tables import STEPS
from simulators.world import World, with_world

desk = Blueprint("control_parcels", __name__, url_prefix="/control")
desk.before_request(only_json)


@desk.post("/kdniao/advance")
@with_world
def advance(world: World) -> Response:
    """``{order_code | logistic_code, to, weight?, place?, logistic_code?, shipper?, force?}`` → the parcel.

    Pushes 103 and/or 102 (101 for a subscription by 1008) follow.
    """
    body = json_body()
    name = body.get("to")
    if name not in STEPS:
        return refuse(f"to must be one of {', '.join(STEPS)}")
    with world.books.turn() as page:
        parcel = _find(page, body)
        if parcel is None:
            return refuse("no such parcel", 404)
        try:
            return json_answer(kdniao.advance(world, page, parcel, name, body))
        except kdniao_parcels.Impossible as impossible:
            return refuse(str(impossible), 409)


def _find(page: Page, body: Doc) -> Doc | None:
    if body.get("order_code"):
        return page.get(kdniao_parcels.PARCELS, str(body["order_code"]))
    found = page.all(kdniao_parcels.PARCELS, str(body.get("logistic_code") or "-"))
    return found[0] if found else None
