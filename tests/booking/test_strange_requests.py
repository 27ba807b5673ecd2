"""Whatever is asked of the booking doors, the answer is a success or a documented refusal, never trouble of ours.

Bodies, paths and questions are made from the doors' own declarations, with real ids of this office and of others,
and then spoilt: wrong types, endless numbers, half characters, days beyond the calendar. In tests a problem that
the documentation does not promise is a 500, so it is found here too. FUZZ=5000 asks more, each time anew.
"""

import json
import os
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from backend import booking
from backend.booking import plans, tasks
from backend.kernel import clock, ids
from backend.runtime import paging
from backend.runtime.bodies import RawBody
from backend.runtime.surface import Route
from backend.store.unit import run_unit, unit
from tests.booking import releases
from tests.booking.halls import make_hall
from tests.booking.makers import EXAM, ITEM, a_person, at_desk, book, hold, id_tail_of, make_slot, set_rules
from tests.booking.waiters import a_site, blocks_of, nobody_waits, wait_for
from tests.cases.visitors import Visitor, Visitors

ASKED, SEED = int(os.environ.get("FUZZ", "200")), 20261121
STAFF = ("bookings", "planning", "previews", "releases", "hall", "standing", "urgent", "pending")
HOUSES = [
    *(f"miniprogram_api.{one}" for one in ("places", "bookings", "waiting", "releases", "standing", "hall")),
    *(f"backend.department.{one}" for one in STAFF),
]
STRANGE: Sequence[Any] = (
    None, True, False, 0, -1, 1.5, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 1e308, "", " ", "x", "\0",
    "\ud800", "a\udfff", "\u202e预约", "\r\nSet-Cookie: a=b", "%00", "'; --", "x" * 10_000, "预" * 41, "😀" * 30,
    "0001-01-01", "9999-12-31", "2026-02-30", "20261130", "2026-W48-1", "2026-11-30T10:00:00",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-11-30T10:00:00+08:00", "24:00", "-1:00",
    [], [[]], {}, [None], {"a": {"b": []}}, ["x"] * 600, [2**70], {"__proto__": 1}, {"": ""},
)  # fmt: skip
RAW = (
    b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"a":1}{"b":2}', b"[" * 5000, b'{"slot_id":NaN}', b"PK\x03\x04",
)  # fmt: skip
DAYS = ("2026-11-24", "2026-11-30", "2026-12-31", "2027-03-01", "2000-01-01", "2100-12-31")
MOMENTS = tuple(f"{day}T09:30:00+08:00" for day in DAYS)
TIMES = ("09:00", "12:00", "17:30", "00:00", "23:59")


def _doors(house: str) -> list[Route]:
    import wsgi

    return [route for surface in wsgi.SURFACES for route in surface.routes if route.run.__module__ == house]


class World:
    """An office with something of everything, another one, and who asks; ids by their names in paths and bodies."""

    def __init__(self, http: FlaskClient) -> None:
        visitors = Visitors(http)
        self.site, other = a_site(), a_site("BZ-GA")
        set_rules(self.site, EXAM, missed=1)
        hall, me, them, third = make_hall(True, False), *(a_person() for _ in range(3))
        book(self._slot(1).id, them)
        clock.move_to(clock.at_local(clock.today() + timedelta(days=2), 10))
        tasks.mark_those_missed()
        at = clock.now() + timedelta(minutes=20)
        slots = [self._slot(3), self._slot(4), self._slot(3, site=other), self._slot(3, site=hall.site)]
        soon = make_slot(2, site=hall.site, starts=at, closes_at=at)
        bookings = [
            hold(slots[0].id, me),
            book(slots[1].id),
            book(make_slot(1, site=self.site).id, me),
            book(soon.id),
        ]
        at_desk(bookings[-1], site=hall.site, id_tail=id_tail_of(bookings[-1].person_id))
        waits = [wait_for(slots[1], me, subject="科目二"), wait_for(slots[1])]
        drawn, draw = [self._slot(40), self._slot(40, hour=10)], self._draw(40)
        releases.enter(draw, third)
        self.ids: dict[str, list[str]] = {
            "site_id": [self.site, self.site, other, hall.site], "slot_id": [one.id for one in (*slots, soon, *drawn)],
            "booking_id": [one.id for one in bookings], "wait_id": [one.id for one in waits],
            "release_id": [draw], "item_id": [EXAM, ITEM, "SI002", "SI001"], "subject": ["", "科目一", "科目二"],
            "group_id": list(hall.groups.values()), "window_id": list(hall.windows.values()),
            "ticket_id": [hall.walk_in().id], "person_id": [me, them], "letter": ["A", "B"], "day": list(DAYS),
            "entry_id": [releases.entry_of(draw, third).id], "block_id": [one.id for one in blocks_of(them)],
        }  # fmt: skip
        self.ids["cursor"] = [paging.cursor(one) for one in self.every_id()]
        self.http, self.stranger = http, visitors.stranger()
        self.citizens = [visitors.citizen(one) for one in (me, me, them, third)]
        self.staff = visitors.officer("BZ-GT", "handler", "window_clerk", "planner")

    def _slot(self, days: int, *, site: str = "", hour: int = 9) -> booking.Slot:
        starts = clock.at_local(clock.today() + timedelta(days=days), hour)
        return make_slot(3, item=EXAM, subject="科目一", site=site or self.site, starts=starts)

    def _draw(self, days: int) -> str:
        on = clock.today() + timedelta(days=days)
        plan = releases.plan(on, slots=booking.SlotRange(self.site, EXAM, "科目一", on, on))
        return run_unit(lambda u: booking.announce(u, plan, releases.PLANNER))

    def every_id(self) -> list[str]:
        return [one for many in self.ids.values() for one in many]

    def askers(self, route: Route) -> list[Visitor]:
        """Who may ask at such a door."""
        known = {"citizen": self.citizens, "department": [self.staff], "staff": [self.staff]}
        return known.get(route.audience, [self.stranger])


class Stranger:
    """Somebody who asks strange things; the same seed, the same questions."""

    def __init__(self, world: World, seed: str) -> None:
        self.world, self.dice = world, random.Random(seed)

    def asks(self, prefix: str, route: Route) -> tuple[str, Any]:
        """One question to a door; what was asked, and the answer."""
        path, body = prefix + self._path(route.path), self._body(route)
        heads = {**self.dice.choice(self.world.askers(route)).headers, "Content-Type": "application/json"}
        if isinstance(route.body, RawBody):
            heads["Content-Type"] = route.body.media[0]
        if route.writes:
            heads["Idempotency-Key"] = ids.token()
        if self._seldom():
            heads["X-Device-Id"] = self.dice.choice(["x" * 5000, "é", "a b", "-"])
        question = self._question(route)
        answer = self.world.http.open(
            path, method=route.method, data=body, headers=heads, query_string=question
        )
        return f"{route.method} {path[:200]}?{question[:200]} {body[:300]!r}", answer

    def _path(self, path: str) -> str:
        while "<" in path:
            before, rest = path.split("<", 1)
            name, after = rest.split(">", 1)
            path = before + quote(str(self._named(name)).encode("utf-8", "surrogatepass"), safe="") + after
        return path

    def _named(self, name: str) -> Any:
        if self._seldom():
            return self.dice.choice(STRANGE)
        return self.dice.choice(self.world.ids.get(name) or self.world.every_id())

    def _question(self, route: Route) -> str:
        if route.query is None:
            return ""
        schema = route.query.model_json_schema()
        given = {name: self._value(name, part, schema) for name, part in schema.get("properties", {}).items()}
        given = {name: value for name, value in given.items() if not self._seldom()}
        pairs = [(name, quote(str(value).encode("utf-8", "surrogatepass"))) for name, value in given.items()]
        return "&".join(f"{name}={value}" for name, value in pairs + (pairs[:1] if self._seldom() else []))

    def _body(self, route: Route) -> bytes:
        if route.body is None:
            return b"" if not self._seldom() else self.dice.choice(RAW)
        if isinstance(route.body, RawBody):
            with unit() as u:
                sheet = bytearray(plans.export_plan(u, self.world.site))
            for _ in range(self.dice.choice([0, 1, 20])):
                sheet[self.dice.randrange(len(sheet))] = self.dice.randrange(256)
            return self.dice.choice([bytes(sheet), bytes(sheet), bytes(sheet[: len(sheet) // 2]), *RAW])
        if self._seldom():
            return self.dice.choice(RAW)
        schema = route.body.model_json_schema()
        return json.dumps(self._value("", schema, schema)).encode()

    def _value(self, name: str, part: dict[str, Any], whole: dict[str, Any]) -> Any:
        """What fits the declaration, mostly."""
        if name and self.dice.random() < 0.08:
            return self.dice.choice(STRANGE)
        if "$ref" in part:
            return self._value(name, whole["$defs"][part["$ref"].rpartition("/")[2]], whole)
        if "anyOf" in part:
            return self._value(name, self.dice.choice(part["anyOf"]), whole)
        if "enum" in part or "const" in part:
            return self.dice.choice(part.get("enum") or [part["const"]])
        return self._of_kind(name, part, whole)

    def _of_kind(self, name: str, part: dict[str, Any], whole: dict[str, Any]) -> Any:
        kind = part.get("type")
        if kind == "object":
            wanted = part.get("properties", {})
            made = {one: self._value(one, about, whole) for one, about in wanted.items()}
            needed = part.get("required", ())
            kept = {one: value for one, value in made.items() if one in needed or self.dice.random() < 0.5}
            return {**kept, "stranger": 1} if self._seldom() else kept
        if kind == "array":
            least, items = part.get("minItems", 0), part.get("items", {})
            count = self.dice.randint(least, max(least, min(part.get("maxItems", 3), 3)))
            return [self._value(name, items, whole) for _ in range(count)]
        if kind == "integer":
            return self.dice.choice([1, 2, 5, 7, 30])
        if kind == "boolean":
            return self.dice.random() < 0.5
        return None if kind == "null" else self._text(name, part)

    def _text(self, name: str, part: dict[str, Any]) -> str:
        if part.get("format") in ("date", "date-time"):
            return self.dice.choice(DAYS if part["format"] == "date" else MOMENTS)
        if name in ("opens", "closes", "hours"):
            return self.dice.choice(TIMES)
        known = {"wishes": "slot_id", "slot_ids": "slot_id", "item_ids": "item_id", "letter": "letter"}
        if choices := self.world.ids.get(known.get(name, name)):
            return self.dice.choice(choices)
        return self.dice.choice(["测试理由", "123456", "001X", "349901199001010012", "3012.45"])

    def _seldom(self) -> bool:
        return self.dice.random() < 0.06


@pytest.fixture
def world(town: Any) -> Any:
    import wsgi

    yield World(wsgi.app.test_client())
    tasks.lapse_holds()
    nobody_waits()


@pytest.mark.parametrize("house", HOUSES)
def test_strange_requests_are_refused_politely(world: World, house: str) -> None:
    import wsgi

    prefixes = {id(route): surface.prefix for surface in wsgi.SURFACES for route in surface.routes}
    doors = _doors(house)
    assert doors, house
    who = Stranger(world, f"{SEED if 'FUZZ' not in os.environ else random.random()}:{house}")
    statuses: set[int] = set()
    for number in range(ASKED):
        route = doors[number % len(doors)]
        asked, answer = who.asks(prefixes[id(route)], route)
        assert answer.status_code < 500, f"{asked} -> {answer.status_code} {answer.text[:500]}"
        if answer.status_code >= 400:
            assert answer.get_json(force=True)["type"].startswith("urn:zhangban:problem:"), asked
        statuses.add(answer.status_code)
    assert {200, 201} & statuses, f"nothing that was asked of {house} succeeded: {statuses}"
