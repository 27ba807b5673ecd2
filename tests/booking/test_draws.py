"""The draw as arithmetic: the order cannot be chosen, places are never too many, and every change is noticed."""

import copy
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.booking.releases import draws
from backend.booking.releases.draws import EntryLine, Frozen, Seat, SlotLine
from backend.booking.releases.replaying import Check, replay

SEED, VALUE = bytes(range(32)), "3012.45"


def frozen(entries: list[EntryLine], slots: list[SlotLine], mode: str = "draw") -> Frozen:
    return Frozen(
        format=draws.FORMAT, release="rl-test", site="si-test", item="SI018", subject="科目一", mode=mode,
        commitment=draws.commitment_of(SEED).hex(), public_source="某日上证综指收盘价", entries_until="e",
        frozen_at="f", entries=tuple(entries), slots=tuple(slots),
    )  # fmt: skip


def entry(name: str, *wishes: str, elder: bool = False, out: str = "") -> EntryLine:
    return EntryLine(id=name, wishes=wishes, elder=elder, out=out)


def slot(name: str, places: int, elder: int = 0) -> SlotLine:
    return SlotLine(id=name, starts_at=name, open=places, elder=elder)


def drawn(what: Frozen, refused: dict[str, str] | None = None) -> dict[str, Any]:
    """A whole record, as it would be published."""
    order = draws.order_of(SEED, VALUE, what.release, [one.id for one in what.entries])
    refused = refused or {}
    rounds = draws.award(what, order, (), refused)
    drew = [one for seats in rounds for one in seats if one in refused]
    return draws.signed({
        **draws.freeze(what), "seed": SEED.hex(), "public_value": VALUE, "closed": [], "order": order,
        "refused": [{"entry": one, "why": refused[one]} for one in drew],
        "won": [seat.model_dump() for seat in draws.winners(rounds, refused)],
    })  # fmt: skip


def given_out(
    what: Frozen, order: list[str], refused: dict[str, str] | None = None
) -> dict[str, tuple[str, str]]:
    seats = draws.winners(draws.award(what, order, (), refused or {}), refused or {})
    return {seat.entry: (seat.slot, seat.kind) for seat in seats}


def faults(record: object) -> list[str]:
    return [check.says for check in replay(record) if not check.agrees]


PLAIN = frozen(
    [entry(f"ey-{n}", *(["s1"] if n % 2 else [])) for n in range(9)], [slot("s1", 2), slot("s2", 3)]
)


def test_the_lot_is_exactly_these_bytes() -> None:
    key, message = SEED + b"3012.45", b"zhangban draw 1|rl-test|ey-1"
    by_hand = hmac.new(key, message, hashlib.sha256).digest()
    assert draws.ticket_of(SEED, VALUE, "rl-test", "ey-1") == by_hand
    # As `openssl dgst -mac HMAC` computes it too.
    assert by_hand.hex() == "311ae8649ac11c39378539287c04e93e6c7fcec6ec76969cd21ca8d118309054"


def test_the_order_depends_on_seed_value_and_release() -> None:
    entries = [f"ey-{n}" for n in range(40)]
    order = draws.order_of(SEED, VALUE, "rl-test", entries)
    assert draws.order_of(SEED, VALUE, "rl-test", reversed(entries)) == order
    assert sorted(order) == sorted(entries)
    for other in ((bytes(32), VALUE, "rl-test"), (SEED, "3012.46", "rl-test"), (SEED, VALUE, "rl-next")):
        assert draws.order_of(*other, entries) != order


def test_the_first_wish_with_room_is_given() -> None:
    what = frozen(
        [entry("a", "s1", "s2"), entry("b", "s1", "s2"), entry("c", "s1")], [slot("s1", 1), slot("s2", 1)]
    )
    assert given_out(what, ["a", "b", "c"]) == {"a": ("s1", "open"), "b": ("s2", "open")}
    assert given_out(what, ["c", "a", "b"]) == {"c": ("s1", "open"), "a": ("s2", "open")}


def test_without_wishes_the_soonest_room_is_given() -> None:
    what = frozen([entry("a"), entry("b"), entry("c")], [slot("early", 1), slot("late", 1)])
    assert given_out(what, ["b", "a", "c"]) == {"b": ("early", "open"), "a": ("late", "open")}


def test_wishes_without_room_are_not_replaced() -> None:
    what = frozen([entry("a", "s1"), entry("b", "s1")], [slot("s1", 1), slot("s2", 5)])
    assert given_out(what, ["a", "b"]) == {"a": ("s1", "open")}


def test_the_elderly_take_their_own_places_first() -> None:
    people = [entry("old", elder=True), entry("young"), entry("next")]
    what = frozen(people, [slot("s1", 1, elder=1)])
    assert given_out(what, ["old", "young", "next"]) == {"old": ("s1", "elder"), "young": ("s1", "open")}
    assert given_out(what, ["young", "next", "old"]) == {"young": ("s1", "open"), "old": ("s1", "elder")}


def test_who_is_out_draws_nothing() -> None:
    what = frozen([entry("a", out="booking-suspended"), entry("b")], [slot("s1", 1)])
    assert given_out(what, ["a", "b"]) == {"b": ("s1", "open")}


def test_a_closed_slot_is_given_to_nobody() -> None:
    what = frozen([entry("a", "s1", "s2")], [slot("s1", 1), slot("s2", 1)])
    assert [dict(seats) for seats in draws.award(what, ["a"], ["s1"], {})] == [
        {"a": (Seat(entry="a", slot="s2", kind="open"),)}
    ]


def test_the_place_of_one_refused_goes_to_the_next() -> None:
    what = frozen(
        [entry("a", "s1", "s2"), entry("b", "s1", "s2"), entry("c", "s1")], [slot("s1", 1), slot("s2", 1)]
    )
    order = ["a", "b", "c"]
    # b keeps what b has won: nobody who won is moved about afterwards.
    assert given_out(what, order, {"a": "already-booked"}) == {"b": ("s2", "open"), "c": ("s1", "open")}
    assert given_out(what, order, {"a": "already-booked", "c": "withdrawn"}) == {"b": ("s2", "open")}


def test_a_place_that_is_gone_goes_to_nobody() -> None:
    what = frozen([entry("a", "s1"), entry("b", "s1")], [slot("s1", 1)])
    assert given_out(what, ["a", "b"], {"a": "slot-closed"}) == {}


@given(st.data())
def test_nobody_wins_twice_and_no_place_is_given_twice(data: st.DataObject) -> None:
    slots = [slot(f"s{n}", data.draw(st.integers(0, 3)), data.draw(st.integers(0, 2))) for n in range(3)]
    names = [f"ey-{n}" for n in range(data.draw(st.integers(0, 14)))]
    wishes = st.lists(st.sampled_from(["s0", "s1", "s2"]), unique=True)
    people = [entry(one, *data.draw(wishes), elder=data.draw(st.booleans())) for one in names]
    refused = {
        one: data.draw(st.sampled_from(["withdrawn", "slot-closed"]))
        for one in names
        if data.draw(st.booleans())
    }
    record = drawn(frozen(people, slots), refused)
    assert faults(record) == []
    won = [Seat(**seat) for seat in record["won"]]
    assert len({seat.entry for seat in won}) == len(won)
    for one in slots:
        for kind, most in (("open", one.open), ("elder", one.elder)):
            assert len([seat for seat in won if (seat.slot, seat.kind) == (one.id, kind)]) <= most
    by_name = {person.id: person for person in people}
    assert all(seat.kind == "open" or by_name[seat.entry].elder for seat in won)
    assert all(not by_name[seat.entry].wishes or seat.slot in by_name[seat.entry].wishes for seat in won)


def test_a_true_record_agrees_after_a_round_through_json() -> None:
    record = json.loads(json.dumps(drawn(PLAIN, {"ey-3": "withdrawn"}), ensure_ascii=False))
    assert faults(record) == []
    assert all(isinstance(check, Check) for check in replay(record))


def _an_entry_less(record: dict[str, Any]) -> None:
    record["frozen"]["entries"].pop()


def _other_wishes(record: dict[str, Any]) -> None:
    record["frozen"]["entries"][0]["wishes"] = ["s2"]


def _another_seed(record: dict[str, Any]) -> None:
    record["seed"] = bytes(32).hex()


def _another_value(record: dict[str, Any]) -> None:
    record["public_value"] = "3012.46"


def _another_order(record: dict[str, Any]) -> None:
    record["order"][0], record["order"][1] = record["order"][1], record["order"][0]


def _another_winner(record: dict[str, Any]) -> None:
    losers = {one["id"] for one in record["frozen"]["entries"]} - {seat["entry"] for seat in record["won"]}
    record["won"][0]["entry"] = min(losers)


def _a_place_more(record: dict[str, Any]) -> None:
    record["frozen"]["slots"][0]["open"] += 1


def _a_refusal_made_up(record: dict[str, Any]) -> None:
    losers = {one["id"] for one in record["frozen"]["entries"]} - {seat["entry"] for seat in record["won"]}
    record["refused"] = [{"entry": min(losers), "why": "withdrawn"}]


FORGERIES = [
    _an_entry_less, _other_wishes, _another_seed, _another_value, _another_order, _another_winner, _a_place_more,
    _a_refusal_made_up,
]  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forgery_is_noticed(forge: Any) -> None:
    record = copy.deepcopy(drawn(PLAIN))
    forge(record)
    assert faults(record)
    # Also when the forger computes the digest of the whole anew.
    assert faults(draws.signed(record))


def test_a_forgery_of_everything_meets_the_commitment() -> None:
    """Entries, digests and order made anew around another seed: only the commitment published before stands."""
    forged = draws.signed({**drawn(PLAIN), "seed": bytes(32).hex()})
    forged["order"] = draws.order_of(bytes(32), VALUE, "rl-test", [one.id for one in PLAIN.entries])
    rounds = draws.award(PLAIN, forged["order"], (), {})
    forged["won"] = [seat.model_dump() for seat in draws.winners(rounds, {})]
    assert [fault for fault in faults(draws.signed(forged)) if "承诺" in fault] == faults(
        draws.signed(forged)
    )


@pytest.mark.parametrize(
    "nonsense", [None, [], "record", {}, {"frozen": {}}, {**drawn(PLAIN), "seed": "no hex"}]
)
def test_nonsense_is_no_record(nonsense: object) -> None:
    assert faults(nonsense)


def test_a_record_without_a_draw_says_so() -> None:
    assert "还没有摇号" in faults(draws.freeze(PLAIN))[0]


def test_a_queue_is_replayed_without_a_value() -> None:
    what = frozen([entry(f"ey-{n}") for n in range(5)], [slot("s1", 2)], mode="queue")
    order = draws.order_of(SEED, "", what.release, [one.id for one in what.entries])
    record = draws.signed({**draws.freeze(what), "seed": SEED.hex(), "public_value": "", "order": order})
    assert faults(record) == []
