"""The street outside: real adapters, real HTTP, and people who answer the cashier on their phones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import text

import payments
from backend.kernel import clock
from backend.store.unit import run_unit
from payments import tasks
from tests.payments.makers import Desk

PROVIDER = {"wechat_pay": "wxpay", "alipay": "alipay"}
PAID_NEWS = {"wechat_pay": "transaction", "alipay": "trade"}


@dataclass
class Street:
    """One payer with both phones, in front of the open town."""

    town: Any
    desk: Desk
    accounts: dict[str, str] = field(default_factory=dict)

    def account(self, channel: str) -> str:
        if channel not in self.accounts:
            if channel == "wechat_pay":
                self.accounts[channel] = self.town.control("/wechat/login", {})["openid"]
            else:
                self.accounts[channel] = self.town.control("/alipay/login", {})["open_id"]
        return self.accounts[channel]

    def begin(self, channel: str, amount_fen: int = 8000, **words: Any) -> payments.PayOrder:
        """What the window does: remember, ask, remember."""
        told = {
            "subject": self.desk.subject, "matter": self.desk.matter, "person_id": self.desk.person_id,
            "payee": "BZ-TEST", "amount_fen": amount_fen, "channel": channel, "title": "不动产登记费 A/B=C&D",
            "by": self.desk.payer,
        } | words  # fmt: skip
        account = self.account(channel)
        visitor = payments.Visitor("127.0.0.1", f"{self.town.base_url}/")
        return payments.pay(
            lambda u: payments.open_payment(u, **told), lambda _u, _platform: account, visitor
        )

    def pay(self, order: payments.PayOrder, decision: str = "approve") -> Any:
        """The payer answers the cashier on the phone."""
        body: dict[str, Any] = {"decision": decision}
        if order.channel == "wechat_pay":
            body |= {"openid": self.account(order.channel), "params": dict(order.parameters)}
        else:
            body |= {"trade_no": order.parameters["tradeNO"]}
        return self.town.control(f"/{PROVIDER[order.channel]}/pay", body)

    def fault(self, channel: str, verb: str, kind: str, **more: Any) -> None:
        self.town.control("/faults", {"provider": PROVIDER[channel], "verb": verb, "kind": kind} | more)

    def drop_news(self, channel: str, times: int = 20) -> None:
        self.fault(channel, PAID_NEWS[channel], "drop", times=times)

    def make_due(self) -> None:
        """Let the next rung of this payer's ladders be reached now, and everybody else's in an hour."""
        at = clock.wire_now()
        values = {"mine": self.desk.matter, "now": at, "later": at + timedelta(hours=1)}
        for table in ("payments_payment", "payments_refund"):
            turned = f"UPDATE {table} SET ask_next_at = CASE WHEN matter = :mine THEN :now ELSE :later END"
            run_unit(lambda u, t=turned: u.session.execute(text(t), values))

    def sweep(self) -> int:
        self.make_due()
        return tasks.sweep()

    def sweep_refunds(self) -> int:
        self.make_due()
        return tasks.sweep_refunds()

    def state(self, payment_id: str) -> str:
        return run_unit(lambda u: payments.payment_of(u, payment_id)).state


def until(true: Callable[[], bool], seconds: float = 8.0) -> None:
    """Wait for real time to bring something about."""
    end = clock.monotonic() + seconds
    while not true():
        assert clock.monotonic() < end, "it never came about"
        clock.sleep(0.03)
