"""One payment's receipt, and the receipt system behind it."""

from typing import Any

from sqlalchemy import text

import payments
from backend.runtime import outbound
from backend.store.unit import run_unit
from payments.receipts import asking as receipt_asking
from payments.receipts import tasks as receipt_tasks
from tests.payments.makers import CLERK, hear, returned


class Receipts:
    """The receipt of one payment, and the receipt system behind it."""

    def __init__(self, street: Any, amount_fen: int = 8000) -> None:
        self.street, self.town = street, street.town
        self.payment = street.desk.paid(amount_fen=amount_fen)

    def chore(self) -> int:
        """Let the chore look at this payer's receipts now, and at everybody else's in an hour."""
        outbound.reset_breakers()
        turned = (
            "UPDATE payments_receipt SET ask_next_at = clock_timestamp() +"
            " CASE WHEN matter = :mine THEN interval '-1 second' ELSE interval '1 hour' END"
        )
        run_unit(lambda u: u.session.execute(text(turned), {"mine": self.street.desk.matter}))
        return receipt_tasks.issue_receipts()

    def claimed(self) -> receipt_asking.Wish:
        """The question that a worker was about to ask when it died, or that is still on its way."""
        wishes = run_unit(lambda u: receipt_asking.claim(u, 1000))
        return next(wish for wish in wishes if wish.receipt_id == self.seen.id)

    @property
    def seen(self) -> payments.ReceiptView:
        return run_unit(lambda u: payments.receipt_of(u, self.payment.id))

    @property
    def all(self) -> list[payments.ReceiptView]:
        return run_unit(lambda u: payments.receipts_of(u, self.payment.person_id))

    def ask_again(self) -> payments.TroubledReceipt:
        receipt_id = self.seen.id
        return run_unit(lambda u: payments.ask_receipt_again(u, receipt_id, CLERK))

    @property
    def is_troubled(self) -> bool:
        """Whether somebody who looks through all pages of trouble finds it."""
        receipt_id, after = self.seen.id, None
        while page := run_unit(lambda u, behind=after: payments.troubled_receipts(u, after=behind)):
            if receipt_id in {one.id for one in page}:
                return True
            after = page[-1].id
        return False

    def issued(self) -> payments.ReceiptView:
        self.chore()
        assert self.seen.state == "issued"
        return self.seen

    def give_back(self, amount_fen: int | None = None) -> None:
        refund = run_unit(
            lambda u: payments.request_refund(u, self.payment.id, amount_fen, "多收了费用", CLERK)
        )
        assert hear(returned(self.payment, refund))

    def fault(self, verb: str, kind: str, **more: Any) -> None:
        self.town.control("/faults", {"provider": "fiscal", "verb": verb, "kind": kind} | more)

    def at_the_office(self) -> list[dict[str, Any]]:
        """What the receipt system keeps of this payer's receipts."""
        mine = {receipt.id for receipt in self.all}
        kept = self.town.books("fiscal").get("receipt", [])
        return [receipt for receipt in kept if receipt["request_no"] in mine]

    def valid_at_the_office(self) -> list[int]:
        """The amounts of this payer's receipts that the receipt system still calls valid."""
        return [kept["amount_fen"] for kept in self.at_the_office() if kept["state"] == "issued"]

    def proof(self, receipt: payments.ReceiptView) -> str:
        return (receipt.verify_url or "").rpartition("/")[2]
