"""Makers of the courier tests: a citizen with a case and an address, a rider, a clerk, and the carrier's controls."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import text

import courier
from backend import cases, catalogue, people
from backend.contracts import CaseFinished, Event
from backend.kernel import ids
from backend.people.machine import STAFF
from backend.people.models import Staff
from backend.people.services import sessions
from backend.runtime.audience import Principal
from backend.store.unit import SYSTEM, Actor, Unit, run_unit
from tests.support import key

ITEM = "SI024"
ORIGINAL = "原行驶证(换领交回)"
DEPARTMENT = "BZ-GA"
FORM = {
    "reason": "damaged",
    "plate_no": "皖S12345",
    "vehicle_kind": "small",
    "vin_tail": "A1B2C3",
    "owner_name": "测试甲",
    "owner_phone": "13900000001",
}


@dataclass(frozen=True)
class Answer:
    """One answer over HTTP."""

    status: int
    body: Any

    @property
    def slug(self) -> str:
        return str(self.body["type"]).rsplit(":", 1)[-1]


@dataclass
class Citizen:
    """Somebody with a case that takes originals by mail."""

    person_id: str
    token: str
    address_id: str
    case_id: str

    @property
    def actor(self) -> Actor:
        return Actor("citizen", self.person_id)


@dataclass
class Bureau:
    """The open town, as the courier tests use it."""

    town: Any
    clerks: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, token: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        sent = {"Authorization": f"Bearer {token}"} | key() | dict(headers or {})
        response = requests.request(method, self.town.base_url + path, json=body, headers=sent, timeout=30)
        told = response.json() if response.content else None
        return Answer(response.status_code, told)

    def get(self, path: str, token: str) -> Answer:
        return self.ask("GET", path, token)

    def post(
        self, path: str, token: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self.ask("POST", path, token, body, headers)

    def citizen(self, *, originals: bool = True, address: str = "测试街道9号楼1单元") -> Citizen:
        """A verified person with an address and a submitted case."""
        who = self.town.control("/people", {})
        view = people.register_at_window(who["name"], who["id_no"], who["phone"], clerk_principal())
        tickets = run_unit(lambda u: sessions.open_session(u, "citizen", view.id, "phone"))
        written = people.Whereabouts(
            who["name"], who["phone"], "341602", "安徽省", "亳州市", "谯城区", "花戏楼街道", address
        )
        address_id = run_unit(lambda u: people.add_address(u, view.id, written)).id
        case_id = run_unit(lambda u: _submit(u, view.id, address_id, originals))
        return Citizen(view.id, tickets.access_token, address_id, case_id)

    def rider(self) -> str:
        """A token of a rider nobody has met before."""
        phone = f"138{ids.digits(8)}"
        rider = run_unit(
            lambda u: people.enrol_rider(
                u, "测试骑手", phone, carrier="rider", point="测试站", region_code="341602", by=SYSTEM
            )
        )
        return run_unit(lambda u: sessions.open_session(u, "courier", rider.id, "phone")).access_token

    def clerk(self, department_id: str = DEPARTMENT) -> str:
        """A token of a clerk of the department."""
        if department_id not in self.clerks:
            self.clerks[department_id] = staff_token(department_id, "handler", "window_clerk")
        return self.clerks[department_id]

    def fault(self, verb: str, kind: str, times: int = 1) -> None:
        """Bad weather at the carrier."""
        self.town.control("/faults", {"provider": "kdniao", "verb": verb, "kind": kind, "times": times})

    def order_pickup(self, who: Citizen, **words: Any) -> Answer:
        body = {"address_id": who.address_id} | words
        return self.post(f"/mp/v1/cases/{who.case_id}/parcels", who.token, body)

    def pickup(self, who: Citizen, **words: Any) -> str:
        """A parcel whose pick-up is ordered."""
        answer = self.order_pickup(who, **words)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    def carrier_does(self, parcel_id: str, *steps: str, wait_for: str | None = None) -> None:
        """The carrier takes steps and pushes the news; waits until the last has reached the parcel."""
        for step in steps:
            self.town.control("/kdniao/advance", {"order_code": order_code(parcel_id), "to": step})
        if wait_for:
            until(lambda: state_of(parcel_id) == wait_for)

    def all_delivered(self, parcel_id: str) -> None:
        """Wait until no push about this parcel is on its way any more."""
        code = order_code(parcel_id)

        def quiet() -> bool:
            letters = self.town.books("outbox").get("letter", [])
            return not [
                one for one in letters if one["subject"] == code and one["state"] in ("waiting", "held")
            ]

        until(quiet)

    def result_for(self, who: Citizen, delivery: str) -> str:
        """The parcel in which the result of a finished case will travel."""
        event = CaseFinished(who.case_id, who.person_id, delivery, who.address_id)
        tell(courier.on_case_finished, event)
        return run_unit(lambda u: courier.parcels_of(u, who.case_id))[-1].id

    def dispatch(self, who: Citizen, *documents: str) -> Answer:
        body = {"documents": [{"name": name} for name in documents]}
        return self.post(f"/dept/v1/cases/{who.case_id}/dispatch", self.clerk(), body)


def clerk_principal() -> Principal:
    return Principal("staff", ids.new_id("st"), label="窗口", department_id=DEPARTMENT, region_code="341600")


def tell(ear: Callable[[Unit, Any], None], event: Event) -> None:
    """Let an ear hear an event, as the relay does."""
    run_unit(lambda u: ear(u, event))


def exhaust(chore: Callable[[], int]) -> None:
    """Run a chore until nothing is left for it: its batches are bounded."""
    while chore():
        pass


def order_code(parcel_id: str) -> str:
    return str(_column(parcel_id, "order_code"))


def state_of(parcel_id: str) -> str:
    return str(_column(parcel_id, "state"))


def _column(parcel_id: str, name: str) -> Any:
    question = text(f"SELECT {name} FROM courier_parcel WHERE id = :id")
    return run_unit(lambda u: u.session.execute(question, {"id": parcel_id}).scalar_one())


def rows(question: str, **values: Any) -> list[Any]:
    return run_unit(lambda u: list(u.session.execute(text(question), values)))


def age_orders(by: timedelta) -> None:
    """Make every order look as if it had been asked longer ago: real time cannot be moved."""
    change = text("UPDATE courier_order SET asked_at = asked_at - make_interval(secs => :secs)")
    run_unit(lambda u: u.session.execute(change, {"secs": by.total_seconds()}))


def events_of(matter: str) -> list[str]:
    found = rows(
        "SELECT kind FROM store_outbox WHERE stream = :m AND kind LIKE 'Parcel%' ORDER BY id", m=matter
    )
    return [row[0] for row in found]


def until(holds: Callable[[], bool], seconds: float = 8.0) -> None:
    """Wait for news that travels over real HTTP."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _submit(u: Unit, person_id: str, address_id: str, originals: bool) -> str:
    version = catalogue.published_version(u, ITEM)
    given = []
    for material in version.materials:
        if material.name == ORIGINAL:
            given += [cases.MaterialGiven(material.code, "mail")] if originals else []
        else:
            given.append(cases.MaterialGiven(material.code, "e_licence"))
    application = cases.Application(
        person_id, ITEM, FORM, tuple(given), "courier", "h5", address_id=address_id, region_code="341600"
    )
    return cases.submit_case(u, application, Actor("citizen", person_id)).case_id


def staff_token(department_id: str, *roles: str, region_code: str = "341600") -> str:
    """A token of a new account with these roles."""
    account = f"test.{ids.digits(10)}"

    def work(u: Unit) -> str:
        invited = people.employ(
            u, account, "测试乙", department_id=department_id, department_name="测试单位", region_code=region_code,
            roles=roles, by=SYSTEM,
        )  # fmt: skip
        u.flush()
        row = u.get(Staff, invited.staff_id, lock=True)
        assert row is not None
        u.step(STAFF, row, "enrolled", by=SYSTEM)
        return sessions.open_session(u, "staff", invited.staff_id, "password").access_token

    return run_unit(work)
