"""Clients who are signed in: a citizen with a session, an officer with a session, a department's system."""

import json
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from backend import people
from backend.kernel import clock, ids
from backend.people.machine import STAFF
from backend.people.models import Staff
from backend.people.services import sessions
from backend.store.unit import SYSTEM, Actor, unit
from tests.cases import makers


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status_code: int
    data: bytes
    headers: Headers

    @classmethod
    def of(cls, response: TestResponse) -> "Answer":
        return cls(response.status_code, response.data, response.headers)

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.data)


@dataclass
class Visitor:
    """One client. Every POST brings a fresh Idempotency-Key unless one is given."""

    http: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)
    person_id: str = ""

    def get(self, path: str, **headers: str) -> Answer:
        return Answer.of(self.http.get(path, headers={**self.headers, **headers}))

    def post(
        self, path: str, body: Any = None, *, key: str = "", raw: bytes = b"", media: str = "application/json"
    ) -> Answer:
        data = raw if body is None else json.dumps(body).encode()
        sent = {**self._heads(path, data), "Idempotency-Key": key or ids.token(), "Content-Type": media}
        return Answer.of(self.http.post(path, data=data, headers=sent))

    def _heads(self, path: str, data: bytes) -> dict[str, str]:
        return self.headers


@dataclass
class SystemVisitor(Visitor):
    """A department's system: every request is signed."""

    key_id: str = ""
    secret: str = ""

    def _heads(self, path: str, data: bytes) -> dict[str, str]:
        time, nonce = str(int(clock.wire_seconds())), ids.token()
        signature = people.sign_request(self.secret, "POST", path, time, nonce, data)
        return {"X-Key-Id": self.key_id, "X-Time": time, "X-Nonce": nonce, "X-Signature": signature}


@dataclass
class Visitors:
    """Makes them."""

    http: FlaskClient

    def citizen(self, person_id: str | None = None) -> Visitor:
        with unit() as u:
            who = person_id or makers.make_citizen(u)
            tickets = sessions.open_session(u, "citizen", who, "wechat")
        return Visitor(self.http, {"Authorization": f"Bearer {tickets.access_token}"}, who)

    def officer(self, department: str = makers.LAND, *roles: str) -> Visitor:
        with unit() as u:
            invited = people.employ(
                u, f"t{ids.digits(10)}", "测试乙", department_id=department, department_name="测试部门",
                region_code=makers.CITY, roles=roles or ("handler", "window_clerk"), by=SYSTEM,
            )  # fmt: skip
            staff = u.get(Staff, invited.staff_id, lock=True)
            assert staff is not None
            u.step(STAFF, staff, "enrolled", by=SYSTEM)
            tickets = sessions.open_session(u, "staff", staff.id, "console")
        return Visitor(self.http, {"Authorization": f"Bearer {tickets.access_token}"}, staff.id)

    def system(self, department: str = makers.LAND) -> SystemVisitor:
        with unit() as u:
            admitted = people.admit_system(u, department, makers.CITY, "测试业务系统", by=SYSTEM)
            issued = people.issue_system_key(u, admitted.id, by=Actor("staff", "st-security"))
            people.confirm_system_key(u, issued.key_id, by=SYSTEM)
        return SystemVisitor(self.http, key_id=issued.key_id, secret=issued.secret)

    def stranger(self) -> Visitor:
        return Visitor(self.http)
