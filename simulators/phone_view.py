"""What the fake phone shows, gathered from the books of all providers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators import (
    alipay_accounts,
    alipay_trades,
    kdniao_parcels,
    population,
    sms_limits,
    wechat_accounts,
    wechat_messages,
    wxpay_orders,
)
from simulators.alipay_trades import yuan
from simulators.books import Doc, Page
from simulators.clock import moment, plain
from simulators.kdniao_tables import COURIERS_DAY, STEPS
from simulators.world import World


@dataclass(frozen=True, slots=True)
class Cashier:
    """How one payment provider finds, shows and settles a payment on the phone."""

    find: Callable[[World, Page, str], Doc | None]
    describe: Callable[[Doc], Doc]
    unpayable: Callable[[World, Doc], str]
    decide: Callable[[World, Page, Doc, str], str]


def people(page: Page) -> list[Doc]:
    """The inhabitants, then phones of which only the number is known."""
    named = {p["phone"]: {"name": p["name"], "phone": p["phone"]} for p in page.all(population.SHELF)}
    users = page.all(wechat_accounts.USERS) + page.all(alipay_accounts.USERS)
    for phone in [user["phone"] for user in users] + page.topics(sms_limits.MESSAGES):
        named.setdefault(phone, {"name": "", "phone": phone})
    return list(named.values())


def clock_text(world: World) -> str:
    """Business time."""
    return plain(world.clock.now())


def messages(page: Page, phone: str) -> list[Doc]:
    """SMS as text, WeChat and Alipay messages as cards, newest first."""
    found = [
        {"kind": "sms", "at": doc["sent_at"], "text": doc["text"], "lost": bool(doc["error"])}
        for doc in page.all(sms_limits.MESSAGES, phone)
    ]
    for user in _users(page, wechat_accounts.USERS, phone):
        found += [_card("wechat", doc) for doc in page.all(wechat_messages.MESSAGES, user["openid"])]
    for user in _users(page, alipay_accounts.USERS, phone):
        found += [_card("alipay", doc) for doc in page.all(alipay_accounts.MESSAGES, user["open_id"])]
    found.sort(key=lambda message: moment(message["at"]), reverse=True)
    return [message | {"at": plain(moment(message["at"]))} for message in found]


def payments(world: World, page: Page, phone: str) -> list[Doc]:
    """Payments that wait for this person; those of a browser name nobody and show everywhere."""
    openids = {"", *(user["openid"] for user in _users(page, wechat_accounts.USERS, phone))}
    open_ids = {"", *(user["open_id"] for user in _users(page, alipay_accounts.USERS, phone))}
    orders = [
        order
        for order in page.all(wxpay_orders.ORDERS, "NOTPAY")
        if order["openid"] in openids and not _wx_unpayable(world, order)
    ]
    trades = [
        trade
        for trade in page.all(alipay_trades.TRADES, "WAIT_BUYER_PAY")
        if trade["buyer_open_id"] in open_ids and moment(trade["expires_at"]) > world.clock.now()
    ]
    return [_describe_order(order) for order in orders] + [_describe_trade(trade) for trade in trades]


def parcels(page: Page, phone: str) -> list[Doc]:
    """Parcels this phone sends or receives, newest first, with the courier's possible steps."""
    found = [each for each in page.all(kdniao_parcels.PARCELS) if phone in _phones(each)]
    return [_describe_parcel(each) for each in reversed(found)]


def _users(page: Page, shelf: str, phone: str) -> list[Doc]:
    return [user for user in page.all(shelf) if user["phone"] == phone]


def _card(kind: str, doc: Doc) -> Doc:
    told = {name: doc[name] for name in ("title", "fields", "page")}
    return {"kind": kind, "at": doc["sent_at"]} | told


def _phones(parcel: Doc) -> set[str]:
    sides: list[Doc] = [parcel["sender"], parcel["receiver"]]
    return {str(side.get("Mobile") or side.get("Tel")) for side in sides}


def _describe_parcel(parcel: Doc) -> Doc:
    names = {"sender": parcel["sender"].get("Name", ""), "receiver": parcel["receiver"].get("Name", "")}
    told: dict[str, Any] = {
        name: parcel[name] for name in ("order_code", "shipper", "logistic_code", "step", "ended")
    }
    return (
        told
        | names
        | {"goods": parcel["goods"], "traces": parcel["traces"][::-1], "next": _next_steps(parcel)}
    )


def _next_steps(parcel: Doc) -> list[str]:
    """The next step of an ordinary day first, then what may go wrong."""
    if parcel["ended"]:
        return []
    done = COURIERS_DAY.index(parcel["step"]) if parcel["step"] in COURIERS_DAY else -1
    onward = list(COURIERS_DAY[done + 1 : done + 2]) if done >= 0 or not parcel["collected"] else ["signed"]
    trouble = ["refused", "lost", "returned"] if parcel["collected"] else ["dispatch_failed", "cancelled"]
    return onward + [name for name in trouble if name in STEPS and name != parcel["step"]]


def _describe_order(order: Doc) -> Doc:
    told = {"number": order["prepay_id"], "title": order["description"], "amount": yuan(order["amount"])}
    return {"provider": "wxpay", "state": order["state"], "waits": order["state"] == "NOTPAY"} | told


def _describe_trade(trade: Doc) -> Doc:
    told = {"number": trade["trade_no"], "title": trade["subject"], "amount": yuan(trade["fen"])}
    return {
        "provider": "alipay",
        "state": trade["status"],
        "waits": trade["status"] == "WAIT_BUYER_PAY",
    } | told


def _wx_unpayable(world: World, order: Doc) -> str:
    expired = order["time_expire"] and moment(order["time_expire"]) < world.clock.now()
    return "order has expired" if expired else wxpay_orders.unpayable(world, order)


def _wx_decide(world: World, page: Page, order: Doc, decision: str) -> str:
    return str(wxpay_orders.pay(world, page, order, order["openid"], decision)["state"])


def _alipay_decide(world: World, page: Page, trade: Doc, decision: str) -> str:
    return str(alipay_trades.pay(world, page, trade, decision)["status"])


CASHIERS = {
    "wxpay": Cashier(wxpay_orders.by_prepay, _describe_order, _wx_unpayable, _wx_decide),
    "alipay": Cashier(
        lambda world, page, number: alipay_trades.find(world, page, {"trade_no": number}),
        _describe_trade,
        lambda _world, trade: "" if trade["status"] == "WAIT_BUYER_PAY" else f"trade is {trade['status']}",
        _alipay_decide,
    ),
}
