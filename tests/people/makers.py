"""Made-up people, and what they do at the windows."""

import itertools
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyotp
import requests

from backend import people
from backend.kernel import clock
from backend.runtime.audience import Principal
from backend.store.unit import SYSTEM, Actor, Unit, run_unit

CONSENT = "2026-01"
PASSWORD = "Long-enough-7"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_days = itertools.count(secrets.randbelow(9000))
CLERK = Principal(
    "staff", "st-test", "se-test", "市测试局 窗口人员", "BZ-TEST", "341600", frozenset({"window_clerk"})
)


def fresh_phone() -> str:
    return f"138{secrets.randbelow(10**8):08d}"


def fresh_id_no(born: date | None = None) -> str:
    """A number with a right check digit, of a county that does not exist."""
    born = born or date(1960, 1, 1) + timedelta(days=next(_days))
    body = f"341699{born:%Y%m%d}{secrets.randbelow(1000):03d}"
    return body + "10X98765432"[sum(w * int(d) for w, d in zip(WEIGHTS, body, strict=True)) % 11]


def ask(
    corner: Any, method: str, path: str, body: Any = None, *, token: str = "", key: str = "", **headers: str
) -> requests.Response:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if method != "GET":
        headers["Idempotency-Key"] = key or secrets.token_hex(8)
    return requests.request(method, corner.base_url + path, json=body, headers=headers, timeout=30)


def slug(response: requests.Response) -> str:
    """The kind of problem, e.g. "token-expired"; the status stands in for a success."""
    if response.ok:
        return str(response.status_code)
    return str(response.json()["type"]).rsplit(":", 1)[1]


@dataclass
class Citizen:
    """Somebody with a phone and, perhaps, papers."""

    corner: Any
    phone: str
    access: str = ""
    refresh: str = ""
    id: str = ""
    name: str = ""
    id_no: str = ""

    def ask(self, method: str, path: str, body: Any = None, **more: str) -> requests.Response:
        return ask(self.corner, method, f"/mp/v1{path}", body, token=self.access, **more)

    def take(self, entered: dict[str, Any]) -> "Citizen":
        tickets = entered["tickets"]
        self.access, self.refresh, self.id = (
            tickets["access_token"],
            tickets["refresh_token"],
            entered["person"]["id"],
        )
        return self

    def papers(self, name: str = "") -> "Citizen":
        """Make the identity authority know this person."""
        self.name, self.id_no = name or "测试" + secrets.choice("甲乙丙丁戊己"), fresh_id_no()
        self.corner.control("/people", {"name": self.name, "id_no": self.id_no, "phone": self.phone})
        return self

    def register(self, **more: str) -> requests.Response:
        claim = {"name": self.name, "id_no": self.id_no, "consent_version": CONSENT} | more
        return self.ask("POST", "/me/real-name", claim)


def sent_code(corner: Any, letters: Any, phone: str, purpose: str) -> str:
    """Ask for a code, a minute after any other, and read it."""
    clock.advance(timedelta(seconds=61))
    answer = ask(corner, "POST", "/mp/v1/codes", {"phone": phone, "purpose": purpose})
    assert answer.status_code == 202, answer.text
    return str(letters.read(phone, purpose))


def by_phone(corner: Any, letters: Any, phone: str = "", **more: str) -> Citizen:
    """Logged in with a code by SMS."""
    phone = phone or fresh_phone()
    code = sent_code(corner, letters, phone, "login")
    answer = ask(corner, "POST", "/mp/v1/sessions/phone", {"phone": phone, "code": code} | more)
    assert answer.status_code == 201, answer.text
    return Citizen(corner, phone).take(answer.json())


def by_wechat(corner: Any, phone: str = "", *, with_phone: bool = True) -> Citizen:
    """Logged in with WeChat, the phone button pressed or not."""
    login = corner.control("/wechat/login", {"phone": phone or fresh_phone()})
    body = {"code": login["code"]} | ({"phone_code": login["phone_code"]} if with_phone else {})
    answer = ask(corner, "POST", "/mp/v1/sessions/wechat", body)
    assert answer.status_code == 201, answer.text
    return Citizen(corner, login["phone"]).take(answer.json())


def verified(corner: Any, letters: Any) -> Citizen:
    """Registered with name and number."""
    citizen = by_phone(corner, letters).papers()
    answer = citizen.register()
    assert answer.status_code == 200, answer.text
    return citizen


SECURITY_ADMIN = Actor("staff", "st-security")


def open_system(
    department_id: str = "BZ-TEST", region_code: str | None = None, name: str = "测试系统"
) -> people.SystemKeyIssued:
    """Admitted by one administrator, its key made by another and confirmed by the first."""

    def work(u: Unit) -> people.SystemKeyIssued:
        admitted = people.admit_system(u, department_id, region_code, name, by=SYSTEM)
        issued = people.issue_system_key(u, admitted.id, by=SECURITY_ADMIN)
        people.confirm_system_key(u, issued.key_id, by=SYSTEM)
        return issued

    return run_unit(work)


@dataclass
class Officer:
    """A member of staff with both factors."""

    account: str
    id: str
    secret: str = ""
    token: str = ""

    def code(self, ahead: int = 0) -> str:
        return pyotp.TOTP(self.secret).generate_otp(int(clock.wire_seconds()) // 30 + ahead)

    def login(self, corner: Any, ahead: int = 1, password: str = PASSWORD, **more: str) -> requests.Response:
        body = {"account": self.account, "password": password, "totp": self.code(ahead)} | more
        return ask(corner, "POST", "/dept/v1/sessions", body)


def invited(
    *roles: str, department_id: str | None = "BZ-TEST", region_code: str | None = "341602"
) -> people.Enrolment:
    return run_unit(
        lambda u: people.employ(
            u, f"t{secrets.token_hex(6)}", "测试员", department_id=department_id, department_name="市测试局",
            region_code=region_code, roles=roles or ("handler",), by=SYSTEM,
        )
    )  # fmt: skip


def officer(
    corner: Any, *roles: str, department_id: str | None = "BZ-TEST", region_code: str | None = "341602"
) -> Officer:
    """Invited, enrolled and logged in. The code of this step is spent; logins take the next one."""
    invitation = invited(*roles, department_id=department_id, region_code=region_code)
    one = Officer(invitation.account, invitation.staff_id)
    start = {"enrolment_token": invitation.token, "password": PASSWORD}
    one.secret = ask(corner, "POST", "/dept/v1/sessions/enrolment", start).json()["secret"]
    end = {"enrolment_token": invitation.token, "totp": one.code()}
    one.token = ask(corner, "POST", "/dept/v1/sessions/enrolment/confirmation", end).json()["access_token"]
    return one
