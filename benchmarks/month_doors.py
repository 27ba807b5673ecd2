"""The doors of the town as the people and the clerks of a month use them: HTTP, tokens, Idempotency-Keys."""

import http.client
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import orjson

from backend import booking, catalogue, people
from backend.kernel import clock, ids
from backend.people.machine import STAFF
from backend.people.models import Staff
from backend.people.services import tokens
from backend.store.unit import SYSTEM, Unit, run_unit
from benchmarks import hall
from benchmarks.generators import BadRun

SITES = ("si-bench-month-1", "si-bench-month-2")
DEPARTMENT, REGION = "BZ-GA", "341600"
GOOD_FOR_S = 600.0
"""An access token is used this long; it would be good for fifteen minutes."""


@dataclass(slots=True)
class Doors:
    """One line to the town; every question is a request, and every answer that was not foreseen ends the run."""

    url: str
    asked: int = 0
    clerk: tuple[str, str] = ("", "")
    _wire: http.client.HTTPConnection = field(init=False)
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        at = urlsplit(self.url)
        self._wire = http.client.HTTPConnection(at.hostname or "", at.port, timeout=30)

    def open_halls(self, items: Sequence[str], plan: dict[str, Any], rules: dict[str, Any]) -> None:
        """Register both halls and let their planner set rules and a weekly pattern for each item."""
        about = {
            "kind": "hall", "department_id": DEPARTMENT, "region_code": REGION, "address": "一楼大厅",
            "hours": [["09:00", "17:00"]], "item_ids": list(items),
        }  # fmt: skip
        run_unit(catalogue.load_base_data)
        catalogue.open_catalogue(SYSTEM)
        sites = [{**about, "id": site, "name": f"测试大厅{site[-1]}"} for site in SITES]
        run_unit(lambda u: booking.load_sites(u, sites))
        self.clerk = run_unit(_employed)
        for site in SITES:
            for item in items:
                self._as_clerk("PUT", f"/sites/{site}/plan/rules", {"item_id": item, "rules": rules})
                self._as_clerk("POST", f"/sites/{site}/plan/patterns", {"item_id": item, **plan}, 201)

    def free(self, item: str, sites: Sequence[str], day: date) -> list[str]:
        """Slots of a day at these halls with a place for everybody, as the phone shows them."""
        shown = self._ask("GET", f"/mp/v1/slots?item_id={item}&day={day.isoformat()}")["items"]
        return [one["id"] for one in shown if one["free"] and one["site_id"] in sites]

    def hold(self, who: int, slot: str) -> Any:
        return self._as_citizen(who, "POST", "/bookings", {"slot_id": slot}, 201)

    def confirm(self, who: int, booking_id: str) -> Any:
        return self._as_citizen(who, "POST", f"/bookings/{booking_id}/confirmation")

    def cancel(self, who: int, booking_id: str) -> None:
        self._as_citizen(who, "POST", f"/bookings/{booking_id}/cancellation")

    def wait(self, who: int, item: str, site: str | None, days: Sequence[date]) -> None:
        body = {
            "item_id": item,
            "site_id": site,
            "from_day": days[0].isoformat(),
            "to_day": days[-1].isoformat(),
        }
        self._as_citizen(who, "POST", "/waits", body, 201)

    def offered(self, who: int) -> dict[str, Any] | None:
        """What is offered to somebody whose phone rang."""
        waits = self._as_citizen(who, "GET", "/waits")["items"]
        return next((one["offer"] for one in waits if one["offer"]), None)

    def visit(self, who: int, booking_id: str, site: str) -> None:
        """Show the code at the hall, be checked in, be served."""
        code = self._as_citizen(who, "GET", f"/bookings/{booking_id}")["check_in_code"]
        self._as_clerk("POST", f"/bookings/{booking_id}/check-in", {"site_id": site, "code": code})
        self._as_clerk("POST", f"/bookings/{booking_id}/served", {"site_id": site, "identity_checked": True})

    def _as_citizen(self, who: int, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        person = hall.person_id(who)
        token = self._token("citizen", person, f"se-{person.removeprefix('ps-')}")
        return self._ask(method, f"/mp/v1{path}", token, body, status, device=f"phone-of-{person}")

    def _as_clerk(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        return self._ask(method, f"/dept/v1{path}", self._token("staff", *self.clerk), body, status)

    def _token(self, audience: str, subject: str, session: str) -> str:
        made_at, token = self._tokens.get(subject, (0.0, ""))
        if clock.monotonic() - made_at > GOOD_FOR_S or not token:
            token = tokens.issue(audience, subject, session)
            self._tokens[subject] = clock.monotonic(), token
        return token

    def _ask(
        self, method: str, path: str, token: str = "", body: Any = None, status: int = 200, device: str = ""
    ) -> Any:
        heads = {"Authorization": f"Bearer {token}"} if token else {}
        if method != "GET":
            heads["Idempotency-Key"] = ids.token()
        if device:
            heads["X-Device-Id"] = device
        if body is not None:
            heads["Content-Type"] = "application/json"
        self._wire.request(method, path, orjson.dumps(body) if body is not None else None, heads)
        answer = self._wire.getresponse()
        said = answer.read()
        self.asked += 1
        if answer.status != status:
            raise BadRun(f"{method} {path} -> {answer.status} {said.decode()[:500]}")
        return orjson.loads(said) if said else None


def _employed(u: Unit) -> tuple[str, str]:
    """A clerk of both halls who plans too, and an open session of theirs."""
    invited = people.employ(
        u, f"bench{ids.digits(10)}", "测试乙", department_id=DEPARTMENT, department_name="测试部门", region_code=REGION,
        roles=("window_clerk", "planner"), by=SYSTEM,
    )  # fmt: skip
    staff = u.get(Staff, invited.staff_id, lock=True)
    assert staff is not None
    u.step(STAFF, staff, "enrolled", by=SYSTEM)
    opened = people.open_session(u, "staff", staff.id, "console")
    return staff.id, str(tokens.read(opened.access_token, "staff").session_id)
