"""The control desk: what a test or the demo does in place of people and of the weather.

Everything is JSON. A POST must say ``Content-Type: application/json``, which a foreign web page cannot do unasked.
"""

from flask import Blueprint, Response, request

from simulators import faults, outbox, population, preferences
from simulators.answers import json_answer, json_body, refuse
from simulators.world import World, with_world

desk = Blueprint("control", __name__, url_prefix="/control")


def only_json() -> Response | None:
    """Refuse writes that a browser would send for any web page."""
    if request.method in ("POST", "PUT") and request.mimetype != "application/json":
        return refuse("Content-Type must be application/json", 415)
    return None


desk.before_request(only_json)


@desk.get("/books/<provider>")
@with_world
def show_books(world: World, provider: str) -> Response:
    """Everything the provider remembers: ``calls`` by verb, then its shelves."""
    with world.books.turn() as page:
        shelves = {name.partition(".")[2]: page.all(name) for name in page.shelves(provider)}
        return json_answer({"calls": page.counts(provider)} | shelves)


@desk.delete("/books")
@with_world
def burn_books(world: World) -> Response:
    """Forget everything but the credentials; the first inhabitants move in again.

    Answers when no letter of the old life is on its way any more.
    """
    with world.books.turn() as page:
        page.burn()
        population.settle_first_people(page)
    world.outbox.wait_for_postmen()
    return json_answer({"burnt": True})


@desk.get("/faults")
@with_world
def show_faults(world: World) -> Response:
    """The faults still to come, and how many of each kind have struck."""
    with world.books.turn() as page:
        return json_answer({"faults": page.all(faults.SHELF), "struck": faults.struck(page)})


@desk.post("/faults")
@with_world
def order_fault(world: World) -> Response:
    """``{provider, verb?, kind, times?, seconds?, code?, about?}``."""
    try:
        with world.books.turn() as page:
            return json_answer(faults.order(page, json_body()).as_doc(), 201)
    except faults.MalformedFault as malformed:
        return refuse(str(malformed))


@desk.delete("/faults")
@with_world
def clear_faults(world: World) -> Response:
    """Fair weather again."""
    with world.books.turn() as page:
        return json_answer({"cleared": faults.clear(page)})


@desk.get("/preferences")
@with_world
def show_preferences(world: World) -> Response:
    """What can be tuned, as it stands."""
    with world.books.turn() as page:
        return json_answer(preferences.read(page))


@desk.post("/preferences")
@with_world
def change_preferences(world: World) -> Response:
    """Change some of them."""
    try:
        with world.books.turn() as page:
            return json_answer(preferences.change(page, json_body()))
    except preferences.UnknownPreference as unknown:
        return refuse(str(unknown))


@desk.get("/people")
@with_world
def show_people(world: World) -> Response:
    """The population the identity authority knows."""
    with world.books.turn() as page:
        return json_answer({"people": page.all(population.SHELF)})


@desk.post("/people")
@with_world
def settle_person(world: World) -> Response:
    """``{name?, id_no?, phone?}``; what is missing is generated. Answers the person."""
    try:
        with world.books.turn() as page:
            return json_answer(population.settle_person(page, json_body()), 201)
    except population.MalformedPerson as malformed:
        return refuse(str(malformed))


@desk.get("/outbox")
@with_world
def show_outbox(world: World) -> Response:
    """Letters to the product, oldest first, with the answer to every attempt; ``?route=`` narrows."""
    wanted = request.args.get("route", "")
    with world.books.turn() as page:
        letters = page.all(outbox.SHELF)
    return json_answer({"letters": [letter for letter in letters if letter["route"].startswith(wanted)]})


@desk.post("/outbox/release")
@with_world
def release_letters(world: World) -> Response:
    """Let the letters that were put off or held back go out now."""
    with world.books.turn() as page:
        return json_answer({"released": world.outbox.release(page)})
