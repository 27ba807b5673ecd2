"""The nightly look into our own books (`flask town check`): every sentence it returns is a fault.

Some questions are about the ledger itself, others ask whether payments, refunds, bills and settlements tell the
same story as the ledger does; at last the chains are walked.
"""

from datetime import timedelta

from backend.kernel import clock
from backend.store.unit import Unit
from payments.ledger.sealing import verify_chains

_LEDGER = {
    "movement {} does not balance": """
        SELECT movement FROM payments_ledger_entry GROUP BY movement
        HAVING sum(amount_fen) <> 0 OR count(*) < 2
    """,
    "movement {} was not entered at once": """
        SELECT movement FROM payments_ledger_entry GROUP BY movement HAVING min(tx) <> max(tx)
    """,
    "account {} is on the wrong side": """
        SELECT account FROM payments_ledger_entry
        WHERE split_part(account, ':', 1) IN ('payee', 'citizen', 'refund')
            AND split_part(movement, ':', 2) <> 'explained'
        GROUP BY account HAVING sum(amount_fen) > 0
    """,
    "account {} does not hold what its payments and refunds make": """
        WITH told AS (
            SELECT channel, coalesce(received_fen, amount_fen) AS fen FROM payments_payment
            WHERE state IN ('paid', 'refunding', 'partly_refunded', 'refunded', 'disputed')
            UNION ALL
            SELECT p.channel, -r.amount_fen FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
            WHERE r.state = 'succeeded' AND r.way = 'channel'
        ), entered AS (
            SELECT account, sum(amount_fen) AS fen FROM payments_ledger_entry
            WHERE account LIKE 'clearing:%%'
                AND split_part(movement, ':', 2) IN ('received', 'surplus', 'corrected', 'returned')
            GROUP BY account
        ), made AS (SELECT 'clearing:' || channel AS account, sum(fen) AS fen FROM told GROUP BY channel)
        SELECT account FROM entered FULL JOIN made USING (account)
        WHERE coalesce(entered.fen, 0) <> coalesce(made.fen, 0)
    """,
    "settlement {} is not what the ledger paid out": """
        SELECT s.id FROM payments_settlement s LEFT JOIN payments_ledger_entry e
            ON e.movement = s.id || ':settled' AND e.account = 'clearing:' || s.channel
        WHERE coalesce(e.amount_fen, 0) <> -(s.net_fen + s.fee_fen)
    """,
    "account {} is not the sum of what is booked and not explained": """
        WITH entered AS (
            SELECT account, sum(amount_fen) AS fen FROM payments_ledger_entry
            WHERE account LIKE 'difference:%%' GROUP BY account
        ), booked AS (
            SELECT 'difference:' || s.channel AS account, sum(
                (coalesce(d.theirs_fen, 0) - coalesce(d.ours_fen, 0))
                * CASE WHEN d.kind = 'refund_differs' OR d.refund_id IS NOT NULL THEN 1 ELSE -1 END) AS fen
            FROM payments_difference d JOIN payments_statement s ON s.id = d.statement_id
            WHERE d.state IN ('booked', 'explaining') GROUP BY s.channel
        )
        SELECT account FROM entered FULL JOIN booked USING (account)
        WHERE coalesce(entered.fen, 0) <> coalesce(booked.fen, 0)
    """,
}
_PAYMENTS = {
    "payment {} settles its subject but never reached the ledger": """
        SELECT p.id FROM payments_payment p WHERE p.settles AND NOT EXISTS (
            SELECT 1 FROM payments_ledger_entry e WHERE e.movement = p.id || ':received')
    """,
    "payment {} holds money that the ledger never saw come": """
        SELECT p.id FROM payments_payment p
        WHERE p.state IN ('paid', 'refunding', 'partly_refunded', 'refunded', 'disputed') AND NOT EXISTS (
            SELECT 1 FROM payments_ledger_entry e WHERE e.movement IN (p.id || ':received', p.id || ':surplus'))
    """,
    "payment {} has ledger entries but never received money": """
        SELECT DISTINCT p.id FROM payments_payment p JOIN payments_ledger_entry e ON e.payment_id = p.id
        WHERE p.state IN ('created', 'awaiting', 'closing', 'closed')
            AND split_part(e.movement, ':', 2) IN (
                'received', 'surplus', 'corrected', 'promised', 'promised_again', 'returned', 'failed')
    """,
    "payment {} has received another sum than the ledger says": """
        SELECT p.id FROM payments_payment p JOIN payments_ledger_entry e ON e.payment_id = p.id
        WHERE e.account = 'clearing:' || p.channel
            AND e.movement IN (p.id || ':received', p.id || ':surplus', p.id || ':corrected')
        GROUP BY p.id HAVING sum(e.amount_fen) <> max(coalesce(p.received_fen, p.amount_fen))
    """,
    "payment {} gave back more than it received": """
        SELECT p.id FROM payments_payment p JOIN payments_refund r ON r.payment_id = p.id
        WHERE r.state NOT IN ('failed', 'refused', 'withdrawn')
        GROUP BY p.id HAVING sum(r.amount_fen) > max(coalesce(p.received_fen, p.amount_fen))
    """,
    "payment {} keeps money that is its payer's own": """
        SELECT p.id FROM payments_payment p JOIN payments_ledger_entry e
            ON e.payment_id = p.id AND e.account = 'citizen:' || p.person_id
        WHERE split_part(e.movement, ':', 2) IN ('surplus', 'corrected', 'promised', 'promised_again', 'failed')
        GROUP BY p.id HAVING sum(e.amount_fen) <> 0 AND max(p.state) NOT IN ('disputed', 'refunding')
    """,
    "payment {} is refunding, but no refund of it is under way": """
        SELECT p.id FROM payments_payment p WHERE p.state = 'refunding' AND NOT EXISTS (
            SELECT 1 FROM payments_refund r
            WHERE r.payment_id = p.id AND r.state IN ('requested', 'sent', 'stuck', 'listed', 'submitted'))
    """,
    "payment {} is no longer wanted, but not on its way back": """
        SELECT p.id FROM payments_payment p
        WHERE p.unwanted AND p.state IN ('paid', 'partly_refunded') AND NOT EXISTS (
            SELECT 1 FROM payments_refund r WHERE r.payment_id = p.id AND r.state = 'failed')
    """,
    "payment {} settles its subject without a receipt": """
        SELECT p.id FROM payments_payment p WHERE p.settles AND NOT EXISTS (
            SELECT 1 FROM payments_receipt c WHERE c.payment_id = p.id AND c.voided_at IS NULL)
    """,
    "payment {} should have ended long ago": """
        SELECT p.id FROM payments_payment p
        WHERE p.state IN ('created', 'awaiting', 'closing') AND p.expires_at < %(long_ago)s
    """,
}
_SETTLED = {
    "payment {} is settled with more than it received": """
        SELECT p.id FROM payments_statement_line l
        JOIN payments_statement s ON s.id = l.statement_id AND s.state = 'reconciled'
        JOIN payments_payment p ON p.number = l.number AND p.channel = s.channel
        WHERE l.kind = 'paid' AND NOT l.again
        GROUP BY p.id HAVING count(*) > 1 OR (sum(l.amount_fen) > max(coalesce(p.received_fen, p.amount_fen))
            AND NOT EXISTS (SELECT 1 FROM payments_difference d WHERE d.payment_id = p.id))
    """,
    "refund {} is settled with more than it gave back": """
        SELECT r.id FROM payments_statement_line l
        JOIN payments_statement s ON s.id = l.statement_id AND s.state = 'reconciled'
        JOIN payments_refund r ON r.number = l.number
        JOIN payments_payment p ON p.id = r.payment_id AND p.channel = s.channel
        WHERE l.kind = 'returned' AND NOT l.again
        GROUP BY r.id HAVING count(*) > 1 OR (sum(l.amount_fen) > max(r.amount_fen)
            AND NOT EXISTS (SELECT 1 FROM payments_difference d WHERE d.refund_id = r.id))
    """,
}
_CREDITED = {
    "difference {} is told as a department's but not paid out to it": """
        SELECT d.id FROM payments_difference d LEFT JOIN payments_ledger_entry e
            ON e.movement = d.id || ':explained' AND e.account = 'bank:' || d.explained_department
        WHERE d.state = 'solved' AND d.explained_to = 'payee' AND e.amount_fen IS DISTINCT FROM d.payout_fen
    """,
    "bank credit {} is not the sum of what it pays": """
        WITH paid AS (
            SELECT credit_id, net_fen AS fen FROM payments_settlement WHERE credit_id IS NOT NULL
            UNION ALL SELECT credit_id, payout_fen FROM payments_difference WHERE credit_id IS NOT NULL
        )
        SELECT c.id FROM paid JOIN payments_bank_credit c ON c.id = paid.credit_id
        GROUP BY c.id HAVING sum(paid.fen) <> c.amount_fen OR c.withdrawn_at IS NOT NULL
    """,
}
_REFUNDS = {
    "refund {} has promised another sum than it is owed": """
        SELECT r.id FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
        LEFT JOIN payments_ledger_entry e ON e.account = 'refund:' || p.channel
            AND e.movement IN (
                r.id || ':promised', r.id || ':promised_again', r.id || ':returned', r.id || ':failed')
        GROUP BY r.id HAVING coalesce(sum(e.amount_fen), 0)
            <> CASE WHEN r.state IN ('requested', 'sent', 'stuck', 'listed', 'submitted') THEN -r.amount_fen ELSE 0 END
    """,
    "refund {} is told as returned but the ledger has not seen it": """
        SELECT r.id FROM payments_refund r WHERE r.state = 'succeeded' AND NOT EXISTS (
            SELECT 1 FROM payments_ledger_entry e WHERE e.movement = r.id || ':returned')
    """,
    "refund {} is returned in the ledger but not told so": """
        SELECT r.id FROM payments_refund r JOIN payments_ledger_entry e ON e.movement = r.id || ':returned'
        WHERE r.state <> 'succeeded' AND e.amount_fen > 0
    """,
    "refund {} came back after it had failed, but was not promised again": """
        SELECT r.id FROM payments_refund r
        WHERE r.state = 'succeeded'
            AND EXISTS (SELECT 1 FROM payments_ledger_entry e WHERE e.movement = r.id || ':failed')
            AND NOT EXISTS (SELECT 1 FROM payments_ledger_entry e WHERE e.movement = r.id || ':promised_again')
    """,
}
_BILLS = {
    "bill {} is paid, but no payment settles it": """
        SELECT b.id FROM payments_bill b WHERE b.state = 'paid' AND NOT EXISTS (
            SELECT 1 FROM payments_payment p WHERE p.subject = 'bill:' || b.id AND p.settles)
    """,
    "bill {} is not paid, but a payment settles it": """
        SELECT b.id FROM payments_bill b WHERE b.state <> 'paid' AND EXISTS (
            SELECT 1 FROM payments_payment p WHERE p.subject = 'bill:' || b.id AND p.settles)
    """,
}
_CHECKS = _LEDGER | _PAYMENTS | _SETTLED | _CREDITED | _REFUNDS | _BILLS
LONG = timedelta(days=1)
SHOWN = 20


def check_books(u: Unit) -> list[str]:
    """Faults of the bureau's books, at most twenty of each kind, and of the ledger's chains."""
    u.flush()
    values = {"long_ago": clock.now() - LONG}
    faults = [
        says.format(name)
        for says, question in _CHECKS.items()
        for (name,) in u.execute(f"{question} LIMIT {SHOWN}", values)
    ]
    return faults + verify_chains(u)
