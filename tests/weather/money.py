"""What the channels' books say, what ours say, and what the story wanted: three accounts of the same money."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.weather.lines import Outside
from tests.weather.payers import Crowd
from tests.weather.purses import Purse

ANSWER_S = 60.0
SILENT = """
    SELECT id FROM payments_payment WHERE state IN ('created', 'awaiting', 'closing', 'refunding', 'disputed')
    UNION ALL SELECT id FROM payments_refund WHERE state NOT IN ('succeeded', 'failed', 'refused')
    UNION ALL SELECT id FROM payments_receipt WHERE state NOT IN ('issued', 'void')
    UNION ALL SELECT event_id || ' ' || ear FROM store_delivery WHERE state <> 'done'
"""
_TWICE = {
    "a move of a payment or a refund": """
        SELECT subject, trigger, count(*) FROM store_journal
        WHERE (subject LIKE 'pay-%' AND trigger IN ('prepared', 'succeeded', 'closed', 'returned_whole'))
           OR (subject LIKE 'rf-%' AND trigger IN ('sent', 'succeeded', 'failed'))
        GROUP BY 1, 2 HAVING count(*) > 1""",
    "news of a payment": """
        SELECT payload ->> 'payment_id', kind, count(*) FROM store_outbox
        WHERE kind IN ('PaymentSucceeded', 'PaymentClosed') GROUP BY 1, 2 HAVING count(*) > 1""",
    "news of a refund": """
        SELECT payload ->> 'refund_id', kind, count(*) FROM store_outbox
        WHERE kind = 'PaymentRefunded' GROUP BY 1, 2 HAVING count(*) > 1""",
    "a debt that two payments settle": """
        SELECT subject, '', count(*) FROM payments_payment WHERE settles GROUP BY 1 HAVING count(*) > 1""",
    "a case that heard twice": """
        SELECT matter, subject || ' ' || trigger, count(*) FROM store_journal
        WHERE trigger = 'fee_paid' GROUP BY 1, 2 HAVING count(*) > 1""",
    "a valid receipt": """
        SELECT payment_id, '', count(*) FROM payments_receipt WHERE state = 'issued'
        GROUP BY 1 HAVING count(*) > 1""",
}
_DEBTS = """
    SELECT 'bill:' || id, state FROM payments_bill WHERE notice_no LIKE '3416000000%'
    UNION ALL SELECT 'case:' || id, fee_state FROM cases_case WHERE fee_fen > 0
"""
_KEPT = """
    SELECT p.subject, sum(e.amount_fen) FROM payments_ledger_entry e JOIN payments_payment p ON p.id = e.payment_id
    WHERE e.account LIKE 'clearing:%' GROUP BY 1
"""
_RECEIPTS = """
    SELECT p.subject, sum(r.amount_fen) FROM payments_receipt r JOIN payments_payment p ON p.id = r.payment_id
    WHERE r.state = 'issued' GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Sides:
    """What one side says of every payment that was paid and every refund that went back: fen by number."""

    paid: Mapping[str, int]
    returned: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Our database, asked whenever it answers."""

    url: str

    def ask(self, statement: str, values: tuple[object, ...] | None = None) -> list[Any]:
        until = time.monotonic() + ANSWER_S
        while True:
            try:
                with psycopg.connect(self.url, autocommit=True, connect_timeout=2) as connection:
                    return connection.execute(statement, values).fetchall()  # type: ignore[arg-type]
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def settling(self, subject: str) -> tuple[str, str]:
        """The payment that settles a debt, and its channel."""
        rows = self.ask("SELECT id, channel FROM payments_payment WHERE subject = %s AND settles", (subject,))
        assert len(rows) == 1, f"{subject}: {rows}"
        return rows[0]

    def sides(self) -> Sides:
        paid = self.ask(
            "SELECT number, coalesce(received_fen, amount_fen) FROM payments_payment WHERE paid_at IS NOT NULL"
        )
        back = self.ask("SELECT number, amount_fen FROM payments_refund WHERE state = 'succeeded'")
        return Sides(dict(paid), dict(back))

    def balances(self) -> dict[str, int]:
        rows = self.ask("SELECT account, sum(amount_fen)::bigint FROM payments_ledger_entry GROUP BY 1")
        return dict(rows)

    def twice(self) -> dict[str, list[Any]]:
        """Everything that had its effect twice."""
        return {what: rows for what, statement in _TWICE.items() if (rows := self.ask(statement))}

    def debts(self) -> dict[str, str]:
        return dict(self.ask(_DEBTS))

    def kept(self) -> dict[str, int]:
        """Fen of every debt that are with the channels for us."""
        return {subject: int(fen) for subject, fen in self.ask(_KEPT)}

    def receipts(self) -> dict[str, int]:
        """Fen of every debt for which the payer holds a valid receipt."""
        return {subject: int(fen) for subject, fen in self.ask(_RECEIPTS)}


def wxpay_sides(outside: Outside) -> Sides:
    """WeChat Pay's own books."""
    book = outside.get("/books/wxpay")
    paid = {one["out_trade_no"]: one["amount"] for one in book.get("order", []) if one["success_time"]}
    now = time.time()
    back = {
        one["out_refund_no"]: one["amount"]
        for one in book.get("refund", [])
        if one["status"] == "SUCCESS" or (one["status"] == "PROCESSING" and one["done_at"] <= now)
    }
    return Sides(paid, back)


def alipay_sides(outside: Outside) -> Sides:
    """Alipay's own books."""
    book = outside.get("/books/alipay")
    paid = {one["out_trade_no"]: one["fen"] for one in book.get("trade", []) if one["paid_at"]}
    return Sides(paid, {one["out_request_no"]: one["fen"] for one in book.get("refund", [])})


def books_of(outside: Outside) -> dict[str, Sides]:
    """Both channels' own books."""
    return {"wechat_pay": wxpay_sides(outside), "alipay": alipay_sides(outside)}


def wanted_kept(crowd: Crowd) -> dict[str, int]:
    """What the story leaves with the payee of every debt somebody paid."""
    return {crowd.debts[purse.number]: purse.kept_fen for purse in crowd.story.purses if purse.pays}


def wanted_debts(crowd: Crowd) -> dict[str, str]:
    """In what state the story leaves every debt."""
    return {crowd.debts[purse.number]: _end(purse) for purse in crowd.story.purses}


def _end(purse: Purse) -> str:
    if not purse.pays:
        return "due"
    if purse.kept_fen:
        return "paid"
    return "refunded" if purse.debt == "case" else "due"
