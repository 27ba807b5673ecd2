"""Comparing a statement with the ledger, set against set in the database: only what differs ever leaves it.

A line is matched by its number whatever the day, so that a payment around midnight that the channel counts to another
day is no difference. Finding is repeatable: a difference is one row per statement, kind and number.
"""

from datetime import datetime, timedelta

from sqlalchemy import select

from backend.contracts import DifferenceFound
from backend.kernel import clock, ids
from backend.store.unit import CLOCK, Unit
from payments import ledger
from payments.reconciliation import machine as m
from payments.reconciliation import wording
from payments.reconciliation.models import Difference, Statement

BATCH = 2000
MIDNIGHT = timedelta(minutes=30)
"""So near to midnight a payment may stand on the statement of the day before or after."""

# `ours` is what our clearing account says of a line, `theirs` what the statement says. Each line below is one kind.
_FIND = """
WITH paid AS MATERIALIZED (
    SELECT l.number, l.amount_fen AS theirs, p.id AS payment_id, p.payee, e.amount_fen AS ours
    FROM payments_statement_line l
    LEFT JOIN payments_payment p ON p.number = l.number AND p.channel = %(channel)s
    LEFT JOIN LATERAL (SELECT sum(amount_fen)::bigint AS amount_fen FROM payments_ledger_entry
        WHERE payment_id = p.id AND account = %(clearing)s AND movement ^@ (p.id || ':')) e ON true
    WHERE l.statement_id = %(statement)s AND l.kind = 'paid' AND (e.amount_fen IS DISTINCT FROM l.amount_fen)
), returned AS MATERIALIZED (
    SELECT l.number, l.amount_fen AS theirs, p.id AS payment_id, p.payee, r.id AS refund_id, -e.amount_fen AS ours
    FROM payments_statement_line l
    LEFT JOIN payments_refund r ON r.number = l.number
    LEFT JOIN payments_payment p ON p.id = r.payment_id AND p.channel = %(channel)s
    LEFT JOIN payments_ledger_entry e ON e.movement = r.id || ':returned' AND e.account = %(clearing)s
    WHERE l.statement_id = %(statement)s AND l.kind = 'returned' AND (-e.amount_fen IS DISTINCT FROM l.amount_fen)
), twice AS MATERIALIZED (
    SELECT kind, number, min(amount_fen) AS once, sum(amount_fen)::bigint AS told
    FROM payments_statement_line WHERE statement_id = %(statement)s GROUP BY kind, number HAVING count(*) > 1
), unheard AS MATERIALIZED (
    SELECT p.id, p.number, p.payee, p.paid_at FROM payments_payment p
    WHERE p.channel = %(channel)s AND p.paid_at >= %(from)s AND p.paid_at < %(until)s
      AND NOT EXISTS (SELECT FROM payments_statement_line l
          WHERE l.statement_id = %(statement)s AND l.kind = 'paid' AND l.number = p.number)
), unreturned AS MATERIALIZED (
    SELECT r.id, r.number, r.amount_fen, r.returned_at, p.id AS payment_id, p.payee
    FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
    WHERE r.state = 'succeeded' AND r.way = 'channel' AND p.channel = %(channel)s
      AND r.returned_at >= %(from)s AND r.returned_at < %(until)s
      AND NOT EXISTS (SELECT FROM payments_statement_line l
          WHERE l.statement_id = %(statement)s AND l.kind = 'returned' AND l.number = r.number)
), found (kind, number, payment_id, refund_id, payee, ours, theirs, at) AS (
    SELECT CASE WHEN payment_id IS NULL THEN 'missing_here' WHEN ours IS NULL THEN 'state_differs'
                ELSE 'amount_differs' END,
        number, payment_id, NULL, payee, ours, theirs, NULL::timestamptz FROM paid
    UNION ALL
    SELECT 'refund_differs', number, payment_id, CASE WHEN payment_id IS NOT NULL THEN refund_id END, payee, ours,
        theirs, NULL FROM returned
    UNION ALL
    SELECT 'told_twice', t.number, coalesce(p.id, r.payment_id), r.id, coalesce(p.payee, q.payee), t.once, t.told, NULL
    FROM twice t
    LEFT JOIN payments_payment p ON t.kind = 'paid' AND p.number = t.number
    LEFT JOIN payments_refund r ON t.kind = 'returned' AND r.number = t.number
    LEFT JOIN payments_payment q ON q.id = r.payment_id
    UNION ALL
    SELECT 'missing_there', g.number, g.id, NULL, g.payee, e.amount_fen, NULL, g.paid_at FROM unheard g
    CROSS JOIN LATERAL (SELECT sum(amount_fen)::bigint AS amount_fen FROM payments_ledger_entry
        WHERE payment_id = g.id AND account = %(clearing)s AND movement ^@ (g.id || ':')) e
    WHERE e.amount_fen <> 0
      AND NOT EXISTS (SELECT FROM payments_statement_line l WHERE l.kind = 'paid' AND l.number = g.number)
    UNION ALL
    SELECT 'refund_differs', g.number, g.payment_id, g.id, g.payee, g.amount_fen, NULL, g.returned_at
    FROM unreturned g
    WHERE NOT EXISTS (SELECT FROM payments_statement_line l WHERE l.kind = 'returned' AND l.number = g.number)
)
SELECT DISTINCT ON (kind, number) kind, number, payment_id, refund_id, payee, ours, theirs, at FROM found f
WHERE NOT EXISTS (SELECT FROM payments_difference d
    WHERE d.statement_id = %(statement)s AND d.kind = f.kind AND d.number = f.number)
ORDER BY kind, number LIMIT %(batch)s
"""
_NOW = """
SELECT
    (SELECT abs(sum(e.amount_fen))::bigint FROM payments_ledger_entry e
     WHERE e.account = %(clearing)s AND e.payment_id = %(payment)s
       AND e.movement ^@ (CASE WHEN %(returned)s THEN %(refund)s || ':returned' ELSE %(payment)s || ':' END)),
    (SELECT sum(l.amount_fen)::bigint FROM payments_statement_line l
     JOIN payments_statement s ON s.id = l.statement_id
     WHERE l.number = %(number)s AND l.kind = %(line)s AND s.channel = %(channel)s)
"""
_APPEARED = """
SELECT d.id FROM payments_difference d
JOIN payments_statement s ON s.id = d.statement_id AND s.channel = %(channel)s
WHERE d.state IN ('open', 'second') AND d.theirs_fen IS NULL AND d.kind IN ('missing_there', 'refund_differs')
  AND EXISTS (SELECT FROM payments_statement_line l
      WHERE l.statement_id = %(statement)s AND l.number = d.number AND l.amount_fen = d.ours_fen
        AND l.kind = CASE d.kind WHEN 'missing_there' THEN 'paid' ELSE 'returned' END)
ORDER BY d.id
"""


def find(u: Unit, statement: Statement) -> int:
    """Write down up to a batch of differences that are not written down yet; returns how many."""
    u.execute("SELECT set_config('statement_timeout', '0', true), set_config('work_mem', '64MB', true)")
    begins = clock.start_of_day(statement.day)
    ends = clock.start_of_day(statement.day + timedelta(days=1))
    asked = {
        "statement": statement.id, "channel": statement.channel, "clearing": ledger.clearing(statement.channel),
        "from": begins, "until": ends, "batch": BATCH,
    }  # fmt: skip
    rows = u.execute(_FIND, asked).fetchall()
    for kind, number, payment_id, refund_id, payee, ours, theirs, at in rows:
        row = Difference(
            id=ids.new_id("df"), statement_id=statement.id, kind=kind, number=number, payment_id=payment_id,
            refund_id=refund_id, department_id=payee, ours_fen=ours, theirs_fen=theirs, found_at=clock.now(),
            proposal=_proposal(kind, refund_id, theirs, _near_midnight(at, begins, ends)),
        )  # fmt: skip
        event = DifferenceFound(row.id, row.id, statement.channel)
        facts = {"statement": statement.id, "kind": kind, "ours_fen": ours, "theirs_fen": theirs}
        u.begin(m.DIFFERENCE, row, by=CLOCK, says=wording.FOUND, facts=facts, event=event)
        u.add(row)
    return len(rows)


def solve_appeared(u: Unit, statement: Statement) -> int:
    """End the differences of other days whose line stands on this statement; returns how many."""
    asked = {"statement": statement.id, "channel": statement.channel}
    done = 0
    for (difference_id,) in u.execute(_APPEARED, asked).fetchall():
        row = u.get(Difference, difference_id, lock=True)
        if row is not None and row.state in m.UNSOLVED:
            row.decided_at = clock.now()
            u.step(m.DIFFERENCE, row, "appeared", by=CLOCK, facts={"statement": statement.id})
            done += 1
    return done


def agrees_now(u: Unit, row: Difference, channel: str) -> bool:
    """Whether the ledger and the channel's statements say the same of this number by now."""
    is_return = about_return(row)
    asked = {
        "clearing": ledger.clearing(channel), "channel": channel, "number": row.number, "returned": is_return,
        "refund": row.refund_id or "", "payment": row.payment_id or "",
        "line": m.RETURNED_LINE if is_return else m.PAID_LINE,
    }  # fmt: skip
    found = u.execute(_NOW, asked).fetchone()
    return found is not None and found[0] is not None and found[0] == found[1]


def about_return(row: Difference) -> bool:
    """Whether it is about money given back, and not about money received."""
    return row.kind == m.REFUND_DIFFERS or row.refund_id is not None


def open_of(u: Unit, statement_id: str, limit: int) -> list[str]:
    """Ids of open differences that a question to the channel may end."""
    wanted = select(Difference.id).where(
        Difference.statement_id == statement_id, Difference.state == m.OPEN, Difference.proposal == m.ASK
    )
    return list(u.session.scalars(wanted.order_by(Difference.id).limit(limit)))


def _proposal(kind: str, refund_id: str | None, theirs: int | None, near: bool) -> str:
    if theirs is None:
        return m.WAIT if near else m.ASK
    if kind == m.STATE_DIFFERS or (kind == m.REFUND_DIFFERS and refund_id is not None):
        return m.ASK
    return m.BOOK


def _near_midnight(at: datetime | None, begins: datetime, ends: datetime) -> bool:
    return at is not None and (at - begins < MIDNIGHT or ends - at <= MIDNIGHT)
