"""The people of the story of the payments: they owe, pay as planned, and get money back, all through the doors."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.kernel import clock
from tests.weather.lines import Outside, PatientLine, Tally, staff_line, system_line
from tests.weather.plan import Fate, Fault
from tests.weather.purses import (
    ANEW,
    CHANNELS,
    CLOSED_FIRST,
    H5,
    MINI,
    OFFICES,
    TWICE,
    Purse,
    Story,
)

PROVIDER = {"wechat_pay": "wxpay", "alipay": "alipay"}
FINANCE, ITEM = "demo.finance", "SI024"
FACTOR = "皖S12345"


@dataclass(slots=True)
class Payer:
    """Somebody with both mini-programs on the phone."""

    line: PatientLine
    name: str
    phone: str
    accounts: dict[str, str]


@dataclass(slots=True)
class Crowd:
    """Everybody, and what each debt of the story became in the town: its subject and its payments."""

    story: Story
    url: str
    outside: Outside
    demo_accounts: dict[str, Any]
    tally: Tally = field(default_factory=Tally)
    payers: dict[int, Payer] = field(default_factory=dict)
    debts: dict[int, str] = field(default_factory=dict)
    begun: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def come(self) -> None:
        """Everybody logs in and gets what they owe."""
        for_all(list(range(self.story.size.payers)), self.story.size.threads, self._enter)
        offices = [self._offices() for _ in range(self.story.size.threads)]
        turn = iter(offices)
        lines = threading.local()

        def owe(purse: Purse) -> None:
            if not hasattr(lines, "mine"):
                lines.mine = next(turn)
            self._owe(purse, lines.mine[purse.office])

        for_all(self.story.purses, len(offices), owe)

    def pay(self, fate: Fate) -> None:
        """Everybody pays as planned, each payer one debt after the other."""
        everyone = [
            [purse for purse in self.story.purses if purse.payer == n] for n in range(self.story.size.payers)
        ]

        def live(purses: Sequence[Purse]) -> None:
            for purse in purses:
                self._pay(purse)
                fate.step()

        for_all(everyone, self.story.size.threads, live)

    def pay_after_the_closing(self) -> None:
        """The banks are slow: money of payments that are long closed; some have paid anew by then."""
        for purse in self.story.purses:
            if purse.manner in CLOSED_FIRST:
                first = self.begun[purse.number][0]
                self._weather(purse.channel, purse.paying, number_of(first["payment_id"]))
                if purse.manner == ANEW:
                    self._approve(purse, self._begin(purse, purse.other_channel))
                self._approve(purse, first, late=True)

    def spoil_the_fetching(self) -> None:
        """Neither channel gives its statement at once."""
        for channel, fault in self.story.fetching:
            self._weather(channel, (fault,), "")

    def give_back(self, fate: Fate, settling: Callable[[str], tuple[str, str]]) -> None:
        """Offices give money back and citizens withdraw; `settling` finds the payment of a debt and its channel."""
        desk = staff_line(self.url, self.tally, self.demo_accounts, FINANCE)

        def give(purse: Purse) -> None:
            payment_id, channel = settling(self.debts[purse.number])
            self._give_back(purse, payment_id, channel, desk.token)
            fate.step()

        for_all(self.story.returning, self.story.size.threads, give)

    def _enter(self, number: int) -> None:
        person = self.outside.post("/people", {})
        line = PatientLine(self.url, self.tally)
        wechat = self.outside.post("/wechat/login", {"phone": person["phone"]})
        codes = {"code": wechat["code"], "phone_code": wechat["phone_code"]}
        line.post("/mp/v1/sessions/wechat", codes)
        alipay = self.outside.post("/alipay/login", {"phone": person["phone"]})
        phone = {name: alipay["encrypted_phone"][name] for name in ("response", "sign")}
        entered = line.post("/mp/v1/sessions/alipay", {"auth_code": alipay["auth_code"], "phone": phone})
        line.token = entered["tickets"]["access_token"]
        consent = line.get("/mp/v1/consents/real_name")["version"]
        real = {"name": person["name"], "id_no": person["id_no"], "consent_version": consent}
        registered = line.post("/mp/v1/me/real-name", real)
        line.token = (registered["tickets"] or entered["tickets"])["access_token"]
        accounts = {"wechat_pay": wechat["openid"], "alipay": alipay["open_id"]}
        self.payers[number] = Payer(line, person["name"], person["phone"], accounts)

    def _offices(self) -> dict[str, PatientLine]:
        return {name: system_line(self.url, self.tally, self.demo_accounts, name) for name in OFFICES}

    def _owe(self, purse: Purse, office: PatientLine) -> None:
        owes = self._file if purse.debt == "case" else self._fine
        self.debts[purse.number] = owes(purse, self.payers[purse.payer], office)

    def _fine(self, purse: Purse, payer: Payer, office: PatientLine) -> str:
        notice_no = f"3416{purse.number:016d}"
        bill = {
            "notice_no": notice_no, "second_factor": FACTOR, "kind": "fine", "item": "机动车违反规定停放",
            "principal_fen": purse.amount_fen, "executing_unit": "测试交警支队", "region_code": "341602",
            "issued_on": clock.today().isoformat(), "window_name": "测试窗口", "window_address": "测试路 1 号",
        }  # fmt: skip
        office.post("/dept/v1/bills", bill)
        asked = {"notice_no": notice_no, "second_factor": FACTOR}
        return f"bill:{payer.line.post('/mp/v1/bills/lookup', asked)['id']}"

    def _file(self, _purse: Purse, payer: Payer, office: PatientLine) -> str:
        form = {
            "reason": "damaged", "plate_no": FACTOR, "vehicle_kind": "small", "vin_tail": "A12345",
            "owner_name": payer.name, "owner_phone": payer.phone,
        }  # fmt: skip
        papers = [{"code": "m1", "mode": "e_licence"}, {"code": "m2", "mode": "window"}]
        told = {
            "item_id": ITEM, "form": form, "delivery": "window", "channel": "wechat", "materials": papers,
        }  # fmt: skip
        case_id = payer.line.post("/mp/v1/cases", told)["case_id"]
        office.post(f"/dept/v1/cases/{case_id}/acceptance")
        return f"case:{case_id}"

    def _pay(self, purse: Purse) -> None:
        payer = self.payers[purse.payer]
        self._weather(purse.channel, purse.preparing, payer.accounts[purse.channel])
        orders = [self._begin(purse, purse.channel)]
        if purse.manner == TWICE:
            orders.append(self._begin(purse, purse.other_channel))
        self.begun[purse.number] = orders
        if purse.manner in CLOSED_FIRST:
            return
        self._weather(purse.channel, purse.paying, number_of(orders[0]["payment_id"]))
        if purse.manner == "leaves":
            return
        for order in orders:  # the town may have closed the second already, when news of the first was quick
            self._approve(purse, order, late=order is not orders[0])
        if purse.manner == "returns":
            payer.line.get(f"/mp/v1/payments/{orders[0]['payment_id']}")

    def _begin(self, purse: Purse, channel: str) -> dict[str, Any]:
        kind, _, public_id = self.debts[purse.number].partition(":")
        line = self.payers[purse.payer].line
        product = purse.product if channel == purse.channel else MINI
        wish = {"channel": channel, "product": product, "return_to": "/paid" if product == H5 else "/"}
        line.taps = True
        order: dict[str, Any] = line.post(f"/mp/v1/{kind}s/{public_id}/payments", wish)
        line.taps = False
        return order

    def _approve(self, purse: Purse, order: dict[str, Any], *, late: bool = False) -> None:
        account, told = self.payers[purse.payer].accounts[order["channel"]], order["parameters"]
        body: dict[str, Any] = {"decision": "approve", "late": late}
        if order["product"] == H5:
            self.outside.post("/h5/pay", {"decision": "approve", "url": told["url"]})
        elif order["channel"] == "wechat_pay":
            self.outside.post("/wxpay/pay", body | {"openid": account, "params": told})
        else:
            self.outside.post("/alipay/pay", body | {"trade_no": told["tradeNO"], "open_id": account})

    def _give_back(self, purse: Purse, payment_id: str, channel: str, token: str) -> None:
        assert purse.back is not None
        faults = purse.back.faults if channel == purse.channel else ()
        self._weather(channel, faults, number_of(payment_id))
        if purse.back.why == "withdrawn":
            case_id = self.debts[purse.number].partition(":")[2]
            self.payers[purse.payer].line.post(
                f"/mp/v1/cases/{case_id}/withdrawal", {"reason": "不再需要办理"}
            )
            return
        desk = PatientLine(self.url, self.tally, token=token)
        wish = {"reason": "多收退还", "amount_fen": purse.back.amount_fen}
        if purse.back.why.startswith("office"):
            desk.post(f"/dept/v1/payments/{payment_id}/refunds", wish)
            return
        asked = self.payers[purse.payer].line.post(f"/mp/v1/payments/{payment_id}/refunds", wish)
        desk.post(f"/dept/v1/refunds/{asked['id']}/approval")

    def _weather(self, channel: str, faults: Sequence[Fault], about: str) -> None:
        for fault in faults:
            wish = {"verb": fault.verb, "kind": fault.kind, "code": fault.code, "about": about}
            seconds = {"seconds": fault.seconds} if fault.seconds else {}
            self.outside.post("/faults", {"provider": PROVIDER[channel], "times": 1} | wish | seconds)


def number_of(public_id: str) -> str:
    """Our number as the channels see it."""
    return public_id.replace("-", "")


def for_all(things: Sequence[Any], threads: int, work: Callable[[Any], None]) -> None:
    """Do it for all of them, so many at once; raises the first failure when everybody is done."""
    waiting: Iterator[Any] = iter(things)
    lock, failures = threading.Lock(), list[BaseException]()

    def serve() -> None:
        nothing = object()
        while not failures:
            with lock:
                thing = next(waiting, nothing)
            if thing is nothing:
                return
            try:
                work(thing)
            except BaseException as failure:
                failures.append(failure)

    crew = [threading.Thread(target=serve, daemon=True) for _ in range(threads)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    if failures:
        raise failures[0]


assert set(PROVIDER) == set(CHANNELS)
