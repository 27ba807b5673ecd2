"""People with phones, the matters they hear about, and how their messages fared."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import requests

import notifications
from backend.contracts import CaseAccepted, CorrectionRequested
from backend.kernel import clock, ids
from backend.runtime import facts
from backend.store.unit import Unit, run_unit
from notifications import reactions, tasks
from notifications.models import Message
from notifications.telling import News, tell

T = TypeVar("T")
FACTS = {
    "number": "BZ7K3M9Q2X4H5A",
    "item": "不动产首次登记预受理",
    "due": "2026年11月20日前",
    "amount": "80.00",
    "when": "11月25日09:30",
    "place": "市政务服务中心不动产登记大厅",
    "what": "办理结果",
    "waybill": "SF1234567890",
}
facts.register("tst", lambda _u, _id: FACTS)


def fresh_phone() -> str:
    return f"139{secrets.randbelow(10**8):08d}"


def matter() -> str:
    """Something people hear about, explained by FACTS."""
    return ids.new_id("tst")


def key() -> dict[str, str]:
    return {"Idempotency-Key": secrets.token_hex(8)}


@dataclass(frozen=True)
class Resident:
    """Somebody who has logged in with WeChat and pressed the phone button."""

    town: Any
    id: str
    phone: str
    openid: str
    token: str

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} | (key() if method != "GET" else {})
        return requests.request(
            method, f"{self.town.base_url}/mp/v1{path}", json=body, params=query, headers=headers, timeout=20
        )

    def accept(self, *kinds: str) -> requests.Response:
        """Accept the cards of these kinds on the phone; the phone reports it."""
        templates = {template_of(kind) for kind in kinds}
        self.town.control("/wechat/accept", {"openid": self.openid, "template_ids": sorted(templates)})
        return self.ask("POST", "/messages/grants", {"accepted": list(kinds)})

    def prefer(self, *, elder: bool = False, push_off: bool = False) -> None:
        answer = self.ask("PUT", "/me/preferences", {"elder_mode": elder, "push_off": push_off})
        assert answer.ok, answer.text

    def texts(self) -> list[str]:
        """Short messages on this phone."""
        return [
            m["text"] for m in self.town.control(f"/sms/inbox?phone={self.phone}", method="GET")["messages"]
        ]

    def cards(self) -> list[dict[str, Any]]:
        """Cards in this WeChat."""
        found = self.town.control(f"/wechat/inbox?openid={self.openid}", method="GET")
        return list(found["messages"])

    def inbox(self) -> list[dict[str, Any]]:
        return list(self.ask("GET", "/messages").json()["items"])


def resident(town: Any, phone: str = "") -> Resident:
    login = town.control("/wechat/login", {"phone": phone or fresh_phone()})
    answer = requests.post(
        f"{town.base_url}/mp/v1/sessions/wechat",
        json={"code": login["code"], "phone_code": login["phone_code"]},
        headers=key(),
        timeout=20,
    )
    assert answer.status_code == 201, answer.text
    entered = answer.json()
    return Resident(
        town, entered["person"]["id"], login["phone"], login["openid"], entered["tickets"]["access_token"]
    )


def template_of(kind: str) -> str:
    return next(view.template_id for view in notifications.card_templates() if kind in view.kinds)


def ask_for_correction(person: Resident, about: str = "") -> str:
    """A must-know event; returns its matter."""
    about = about or matter()
    event = CorrectionRequested(about, person.id, ids.new_id("co"))
    run_unit(lambda u: reactions.on_correction_requested(u, event))
    return about


def accept_case(person: Resident) -> str:
    """An event that need not be known; returns its matter."""
    about = matter()
    run_unit(lambda u: reactions.on_case_accepted(u, CaseAccepted(about, person.id)))
    return about


def tell_of(person: Resident, kind: str, values: Mapping[str, str] | None = None, **more: Any) -> str:
    """Any kind of message; returns its matter."""
    about = matter()
    news = News(kind, about, person.id, about, about, values or FACTS, **more)
    run_unit(lambda u: tell(u, news))
    return about


def fares(about: str) -> dict[str, str]:
    """State of each channel's message about a matter."""
    return {view.channel: view.state for view in run_unit(lambda u: notifications.messages_about(u, about))}


def message(about: str, channel: str) -> Message:
    """The row itself, detached."""

    def read(u: Unit) -> Message:
        row = u.session.query(Message).filter_by(about=about, channel=channel).one()
        u.session.expunge(row)
        return row

    return run_unit(read)


def send() -> None:
    tasks.send()


def eventually(look: Callable[[], T], seconds: float = 5.0) -> T:
    """The first true thing `look` sees; what it sees last otherwise."""
    end = clock.monotonic() + seconds
    while not (seen := look()) and clock.monotonic() < end:
        clock.sleep(0.05)
    return seen
