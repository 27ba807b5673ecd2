"""The nightly look into our own books (`flask town check`): every sentence it returns is a fault."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text

from backend.kernel import clock
from backend.store.unit import Unit

_CHECKS = {
    "movement {} does not balance": """
        SELECT movement FROM payments_ledger_entry GROUP BY movement HAVING sum(amount_fen) <> 0
    """,
    "payment {} settles its subject but never reached the ledger": """
        SELECT p.id FROM payments_payment p WHERE p.settles AND NOT EXISTS (
            SELECT 1 FROM payments_ledger_entry e WHERE e.movement = p.id || '\\:received')
    """,
    "payment {} has ledger entries but never received money": """
        SELECT DISTINCT p.id FROM payments_payment p JOIN payments_ledger_entry e ON e.payment_id = p.id
        WHERE p.state IN ('created', 'awaiting', 'closing', 'closed')
    """,
    "payment {} has received another sum than its amount": """
        SELECT p.id FROM payments_payment p JOIN payments_ledger_entry e ON e.payment_id = p.id
        WHERE e.account = 'clearing:' || p.channel AND e.movement IN (p.id || '\\:received', p.id || '\\:surplus')
        GROUP BY p.id HAVING sum(e.amount_fen) <> max(p.amount_fen) OR count(*) <> 1
    """,
    "payment {} gave back more than it received": """
        SELECT p.id FROM payments_payment p JOIN payments_refund r ON r.payment_id = p.id
        WHERE r.state <> 'failed' GROUP BY p.id HAVING sum(r.amount_fen) > max(p.amount_fen)
    """,
    "refund {} is told as returned but the ledger has not seen it": """
        SELECT r.id FROM payments_refund r WHERE r.state = 'succeeded' AND NOT EXISTS (
            SELECT 1 FROM payments_ledger_entry e WHERE e.movement = r.id || '\\:returned')
    """,
    "payment {} is refunding, but no refund of it is under way": """
        SELECT p.id FROM payments_payment p WHERE p.state = 'refunding' AND NOT EXISTS (
            SELECT 1 FROM payments_refund r WHERE r.payment_id = p.id AND r.state IN ('requested', 'sent'))
    """,
    "payment {} is no longer wanted, but not on its way back": """
        SELECT p.id FROM payments_payment p WHERE p.unwanted AND p.state IN ('paid', 'partly_refunded')
    """,
    "payment {} settles its subject without a receipt": """
        SELECT p.id FROM payments_payment p WHERE p.settles AND NOT EXISTS (
            SELECT 1 FROM payments_receipt c WHERE c.payment_id = p.id AND c.voided_at IS NULL)
    """,
    "bill {} is paid, but no payment settles it": """
        SELECT b.id FROM payments_bill b WHERE b.state = 'paid' AND NOT EXISTS (
            SELECT 1 FROM payments_payment p WHERE p.subject = 'bill:' || b.id AND p.settles)
    """,
    "bill {} is not paid, but a payment settles it": """
        SELECT b.id FROM payments_bill b WHERE b.state <> 'paid' AND EXISTS (
            SELECT 1 FROM payments_payment p WHERE p.subject = 'bill:' || b.id AND p.settles)
    """,
    "payment {} should have ended long ago": """
        SELECT p.id FROM payments_payment p
        WHERE p.state IN ('created', 'awaiting', 'closing') AND p.expires_at < :long_ago
    """,
}
LONG = timedelta(days=1)
SHOWN = 20


def check_books(u: Unit) -> list[str]:
    """Faults of the bureau's books, at most twenty of each kind."""
    values = {"long_ago": clock.now() - LONG}
    return [
        says.format(public_id)
        for says, question in _CHECKS.items()
        for public_id in u.session.scalars(text(f"{question} LIMIT {SHOWN}"), _needed(question, values))
    ]


def _needed(question: str, values: Mapping[str, datetime]) -> dict[str, datetime]:
    return {name: value for name, value in values.items() if f":{name}" in question}
