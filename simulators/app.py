"""Puts the outside world together: one Flask application, one prefix per provider."""

from pathlib import Path

from flask import Flask

from simulators import (
    alipay,
    alipay_seal,
    control,
    control_bills,
    control_money,
    control_parcels,
    control_phones,
    fiscal,
    identity,
    kdniao,
    phone,
    population,
    sms,
    wechat,
    wechat_messages,
    wechat_push,
    wxpay,
    wxpay_seal,
)
from simulators.books import Books
from simulators.clock import TownClock
from simulators.credentials import load_keyring
from simulators.outbox import Outbox, Route
from simulators.templates import Templates
from simulators.world import EXTENSION, World

_DESKS = (
    identity.desk,
    fiscal.desk,
    sms.desk,
    wechat.desk,
    wechat_messages.desk,
    wxpay.desk,
    alipay.desk,
    kdniao.desk,
    control.desk,
    control_bills.desk,
    control_money.desk,
    control_parcels.desk,
    control_phones.desk,
    phone.desk,
)


def create_app(
    state_dir: Path | str,
    clock_file: Path | str | None,
    templates_file: Path | str | None,
    base_url: str,
    product_base_url: str,
) -> Flask:
    """The application, its books open and its postmen at work; close ``app.extensions[EXTENSION]`` at the end."""
    world = _open_world(Path(state_dir), clock_file, templates_file, base_url, product_base_url)
    app = Flask(__name__, template_folder="pages", static_folder="static", static_url_path="/phone/static")
    app.config["MAX_CONTENT_LENGTH"] = 2_000_000
    app.extensions[EXTENSION] = world
    for desk in _DESKS:
        app.register_blueprint(desk)
    world.outbox.open()
    return app


def _open_world(
    state_dir: Path,
    clock_file: Path | str | None,
    templates_file: Path | str | None,
    base_url: str,
    product_base_url: str,
) -> World:
    keys = load_keyring(state_dir)
    books = Books(state_dir / "books.sqlite3")
    clock = TownClock(Path(clock_file) if clock_file else None)
    routes: dict[str, Route] = {}
    world = World(
        books=books,
        clock=clock,
        keys=keys,
        templates=Templates(Path(templates_file) if templates_file else None),
        outbox=Outbox(books, clock, routes),
        base_url=base_url.rstrip("/"),
        product_base_url=product_base_url.rstrip("/"),
    )
    routes |= {
        "sms": sms.route(world),
        "wechat": wechat_push.route(world),
        "wxpay": wxpay_seal.route(world),
        "alipay": alipay_seal.route(world),
        "kdniao": kdniao.route(world),
    }
    with books.turn() as page:
        population.settle_first_people(page)
    return world
