"""What may be wrong with a statement, on order of the control desk: other lines than the money, or a spoilt file.

Both providers' statements are made of *moves* {at, fen (refunds below zero), out_trade_no, request (of a refund), fee}
before they take their own form, so that one table of twists serves both. A twist of lines stays until it is taken
back, so that a statement fetched again is the same; a spoilt file is spoilt `times` times (once, if nobody says).
"""

import secrets
from collections.abc import Callable
from datetime import timedelta

from simulators.answers import number_text
from simulators.books import Doc, Page
from simulators.clock import moment

SHELF = "bills.twist"
Moves = list[Doc]


class MalformedTwist(ValueError):
    """The order cannot be understood."""


def order(page: Page, wish: Doc) -> Doc:
    """Write down a twist {provider, kind, day?, number?, fen?, count?, times?}; raises MalformedTwist."""
    kind = wish.get("kind")
    if kind not in LINE_KINDS and kind not in FILE_KINDS:
        raise MalformedTwist(f"kind must be one of {', '.join(sorted([*LINE_KINDS, *FILE_KINDS]))}")
    if wish.get("provider") not in ("wxpay", "alipay"):
        raise MalformedTwist("provider must be wxpay or alipay")
    if any(type(wish.get(name, 1)) is not int for name in ("fen", "count", "times")):
        raise MalformedTwist("fen, count and times must be whole numbers")
    twist = {
        "id": f"twist-{page.count_up('bills.number')}",
        "provider": wish["provider"],
        "kind": kind,
        "day": str(wish.get("day", "")),
        "number": str(wish.get("number", "")),
        "fen": wish.get("fen", 1),
        "count": wish.get("count", 1_000_000),
        "times": wish.get("times", 1),
    }
    page.put(SHELF, twist["id"], twist)
    return twist


def clear(page: Page) -> int:
    """Take back every twist; returns how many there were."""
    return sum(page.drop(SHELF, doc["id"]) for doc in page.all(SHELF))


def twisted(page: Page, provider: str, day: str, moves: Moves) -> Moves:
    """The lines of a day after every twist that stands."""
    for twist in _standing(page, provider, day):
        if twist["kind"] in LINE_KINDS:
            moves = LINE_KINDS[twist["kind"]](moves, twist)
    return moves


def spoiling(page: Page, provider: str, day: str) -> Doc | None:
    """The oldest spoiling of this day's file, one of its times used up."""
    for twist in _standing(page, provider, day):
        if twist["kind"] in FILE_KINDS:
            if twist["times"] > 1:
                page.put(SHELF, twist["id"], twist | {"times": twist["times"] - 1})
            else:
                page.drop(SHELF, twist["id"])
            return twist
    return None


def a_day_earlier(moves: Moves) -> Moves:
    """The same moves on another day than the statement's."""
    return [
        move | {"at": (moment(move["at"]) - timedelta(days=1)).isoformat(timespec="seconds")}
        for move in moves
    ]


def _standing(page: Page, provider: str, day: str) -> list[Doc]:
    return [twist for twist in page.all(SHELF) if twist["provider"] == provider and twist["day"] in ("", day)]


def _is_paid(move: Doc, number: str) -> bool:
    return not move["request"] and number in ("", move["out_trade_no"])


def _is_returned(move: Doc, number: str) -> bool:
    return bool(move["request"]) and number in ("", move["request"])


def _first(moves: Moves, twist: Doc, fits: Callable[[Doc, str], bool]) -> int:
    return next((i for i, move in enumerate(moves) if fits(move, twist["number"])), -1)


def _changed(moves: Moves, at: int, *instead: Doc) -> Moves:
    return moves if at < 0 else [*moves[:at], *instead, *moves[at + 1 :]]


def _drop(moves: Moves, twist: Doc) -> Moves:
    return _changed(moves, _first(moves, twist, _is_paid))


def _drop_refund(moves: Moves, twist: Doc) -> Moves:
    return _changed(moves, _first(moves, twist, _is_returned))


def _amount(moves: Moves, twist: Doc) -> Moves:
    at = _first(moves, twist, _is_paid)
    return _changed(moves, at, moves[at] | {"fen": twist["fen"]}) if at >= 0 else moves


def _refund_amount(moves: Moves, twist: Doc) -> Moves:
    at = _first(moves, twist, _is_returned)
    return _changed(moves, at, moves[at] | {"fen": -twist["fen"]}) if at >= 0 else moves


def _double(moves: Moves, twist: Doc) -> Moves:
    at = _first(moves, twist, _is_paid)
    return _changed(moves, at, moves[at], moves[at]) if at >= 0 else moves


def _stranger(moves: Moves, twist: Doc) -> Moves:
    """Money nobody here has heard of, in the form of a line that is there."""
    if not moves:
        return moves
    number = twist["number"] or f"stranger{secrets.token_hex(8)}"
    names = {"out_trade_no": number, "trade_no": "4200" + number_text(24), "request": "", "refund_id": ""}
    return [*moves, moves[-1] | names | {"fen": twist["fen"]}]


def _stranger_refund(moves: Moves, twist: Doc) -> Moves:
    if not moves:
        return moves
    names = {
        "request": twist["number"] or f"stranger{secrets.token_hex(8)}",
        "refund_id": "5030" + number_text(24),
    }
    return [*moves, moves[-1] | names | {"fen": -twist["fen"]}]


LINE_KINDS: dict[str, Callable[[Moves, Doc], Moves]] = {
    "drop": _drop,
    "drop_refund": _drop_refund,
    "amount": _amount,
    "refund_amount": _refund_amount,
    "double": _double,
    "stranger": _stranger,
    "stranger_refund": _stranger_refund,
}
"""Lines: left out, another sum, told twice, or of money that only the provider knows."""
FILE_KINDS = frozenset(
    {"truncated", "wrong_hash", "other_day", "encoding", "blank_lines", "merchant", "html", "sums"}
)
"""Files: cut off, another hash (WeChat Pay), of yesterday, in another encoding, `count` empty lines, of another
merchant, a page of the web instead of an archive, sums that are not those of the lines."""
