"""A provider that fits into a head: who paid how much, what went back, and what it would say when it is asked.

It keeps the provider's promises: an order is paid once, a refund number is honoured once, and no more goes back than
came. Whatever asks for more is our fault: it is written down for the test to find. Only its no is not to be trusted:
what it has refused may go back all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from backend.contracts import Notice
from backend.kernel import clock, ids
from payments.channels import port


@dataclass
class Order:
    """What the provider knows of one of our numbers."""

    number: str
    asked_fen: int
    came_fen: int = 0
    shut: bool = False
    back: dict[str, int] = field(default_factory=dict)
    denied: dict[str, int] = field(default_factory=dict)

    @property
    def left_fen(self) -> int:
        return self.came_fen - sum(self.back.values())


@dataclass
class ModelChannel:
    """One channel. `dead` answers nothing, `refuses` refunds are refused, `slow` ones stay pending once.

    While it is `stuck` it has the money of its refunds and cannot pass it on. `after_all` counts its changes of mind.
    """

    name: str
    platform: str = "model"
    dead: bool = False
    refuses: bool = False
    slow: bool = False
    stuck: bool = False
    after_all: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def know(self, number: str, amount_fen: int) -> Order:
        return self.orders.setdefault(number, Order(number, amount_fen))

    def take_money(self, number: str, fen: int) -> Notice | None:
        """The payer pays; None when the order is shut or paid already."""
        order = self.orders[number]
        if order.shut or order.came_fen:
            return None
        order.came_fen = fen
        return self.news_of(order)

    def news_of(self, order: Order) -> Notice:
        """What the provider would push about a paid order, in a new envelope each time."""
        facts = {port.OURS: True, port.REFERENCE: f"tx-{order.number}"}
        return Notice(
            self.name, ids.new_id("ev"), order.number, "succeeded", clock.now(), order.came_fen, facts, b"{}"
        )

    def query(self, number: str) -> port.Found:
        order = self.orders.get(number)
        if self.dead:
            return port.Unknown("nobody answers")
        if order is None:
            return port.Absent()
        if order.came_fen:
            return port.Paid(f"tx-{number}", order.came_fen, clock.now(), ours=True, raw=b"{}")
        return port.Shut() if order.shut else port.Waiting()

    def close(self, number: str) -> port.Closing:
        order = self.orders[number]
        if self.dead:
            return port.Unknown("nobody answers")
        if order.came_fen:
            return port.AlreadyPaid()
        order.shut = True
        return port.Shut()

    def refund(self, order: port.RefundOrder) -> port.RefundNews:
        if self.dead:
            return port.Unknown("nobody answers")
        known = self.orders[order.payment_number]
        if order.number not in known.back:
            if self.refuses:
                known.denied[order.number] = order.amount_fen
                return port.Refusal("CLOSED_ACCOUNT", "the payer's account is gone")
            if known.came_fen != order.paid_fen:
                self.faults.append(
                    f"{order.number}: {order.paid_fen} came, you say, but {known.came_fen} did"
                )
            if order.amount_fen > known.left_fen:
                self.faults.append(f"{order.number}: more would go back than came")
            known.back[order.number] = order.amount_fen
        return port.RefundPending() if self.slow else self._done(order.number, order.amount_fen)

    def return_denied(self, payment_number: str, number: str) -> Notice:
        """Give back what was refused before; tells so."""
        order = self.orders[payment_number]
        order.back[number] = fen = order.denied.pop(number)
        self.after_all += 1
        facts = {port.OURS: True, port.REFERENCE: f"back-{number}"}
        return Notice(self.name, ids.new_id("ev"), number, "refund_succeeded", clock.now(), fen, facts, b"{}")

    def query_refund(self, number: str, payment_number: str) -> port.RefundNews:
        known = self.orders[payment_number].back.get(number)
        if self.dead:
            return port.Unknown("nobody answers")
        return port.Absent() if known is None else self._done(number, known)

    def prepare(self, order: port.Order) -> port.Prepared:
        self.know(order.number, order.amount_fen)
        return port.Ticket(f"ticket-{order.number}")

    def client_parameters(self, ticket: str, product: str = port.MINI) -> Mapping[str, str]:
        return {"ticket": ticket, "product": product}

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        raise port.Forged("a model pushes nothing")

    def acknowledge(self, *, accepted: bool) -> port.Reply:
        return port.Reply(200 if accepted else 500, b"", "text/plain")

    def fetch_bill(self, day: date) -> port.DayBill:
        del day
        return port.NotYet()

    def _done(self, number: str, fen: int) -> port.RefundNews:
        return (
            port.RefundStuck() if self.stuck else port.RefundDone(f"back-{number}", fen, clock.now(), b"{}")
        )
