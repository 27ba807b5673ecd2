"""Comparing a statement with the ledger, set against set in the database: only what differs ever leaves it.

A line is matched by its number whatever the day, so that a payment around midnight that the channel counts to another
day is no difference. A line told `again`, the same day or another, is one: told twice. Finding is repeatable: a
difference is one row per statement, kind and number.
"""

from datetime import datetime, timedelta

from backend.contracts import DifferenceFound
from backend.kernel import clock, ids
from backend.store.unit import CLOCK, Unit
from payments.ledger import ledger
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
    WHERE l.statement_id = %(statement)s AND l.kind = 'paid' AND NOT l.again
      AND (e.amount_fen IS DISTINCT FROM l.amount_fen)
), returned AS MATERIALIZED (
    SELECT l.number, l.amount_fen AS theirs, p.id AS payment_id, p.payee, r.id AS refund_id, -e.amount_fen AS ours
    FROM payments_statement_line l
    LEFT JOIN payments_refund r ON r.number = l.number
    LEFT JOIN payments_payment p ON p.id = r.payment_id AND p.channel = %(channel)s
    LEFT JOIN payments_ledger_entry e ON e.movement = r.id || ':returned' AND e.account = %(clearing)s
    WHERE l.statement_id = %(statement)s AND l.kind = 'returned' AND NOT l.again
      AND (-e.amount_fen IS DISTINCT FROM l.amount_fen OR p.number IS DISTINCT FROM l.payment_number)
), twice AS MATERIALIZED (
    SELECT g.kind, g.number, a.told - g.more AS once, a.told
    FROM (SELECT kind, number, sum(amount_fen)::bigint AS more FROM payments_statement_line
        WHERE statement_id = %(statement)s AND again GROUP BY kind, number) g
    CROSS JOIN LATERAL (SELECT sum(l.amount_fen)::bigint AS told FROM payments_statement_line l
        JOIN payments_statement s ON s.id = l.statement_id AND s.channel = %(channel)s
        WHERE l.number = g.number AND l.kind = g.kind) a
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
# A line told twice agrees only when all that was told is ours; a return only as its own payment's.
_AGREEING = """
SELECT d.id FROM payments_difference d
JOIN payments_statement s ON s.id = d.statement_id
CROSS JOIN LATERAL (SELECT d.kind = 'refund_differs' OR d.refund_id IS NOT NULL AS returned) about
CROSS JOIN LATERAL (SELECT abs(sum(e.amount_fen))::bigint AS fen FROM payments_ledger_entry e
    WHERE e.account = 'clearing:' || s.channel AND e.payment_id = d.payment_id
      AND e.movement ^@ (CASE WHEN returned THEN d.refund_id || ':returned' ELSE d.payment_id || ':' END)) ours
CROSS JOIN LATERAL (SELECT sum(l.amount_fen)::bigint AS fen FROM payments_statement_line l
    JOIN payments_statement t ON t.id = l.statement_id AND t.channel = s.channel
    WHERE l.number = d.number AND l.kind = CASE WHEN returned THEN 'returned' ELSE 'paid' END
      AND (d.kind = 'told_twice' OR NOT l.again)
      AND (NOT returned OR l.payment_number = (SELECT p.number FROM payments_payment p WHERE p.id = d.payment_id))
    ) theirs
WHERE d.id = ANY(%(differences)s) AND ours.fen = theirs.fen
"""
# Whatever its amount is: should that differ, it is a difference of the statement that lists it.
_APPEARED = """
SELECT d.id FROM payments_difference d
JOIN payments_statement s ON s.id = d.statement_id AND s.channel = %(channel)s
WHERE d.state <> 'solved' AND d.theirs_fen IS NULL AND d.kind IN ('missing_there', 'refund_differs')
  AND EXISTS (SELECT FROM payments_statement_line l
      WHERE l.statement_id = %(statement)s AND l.number = d.number
        AND l.kind = CASE d.kind WHEN 'missing_there' THEN 'paid' ELSE 'returned' END)
ORDER BY d.id
"""
_WAITED_LONG = """
SELECT d.id FROM payments_difference d
JOIN payments_statement s ON s.id = d.statement_id AND s.channel = %(channel)s
WHERE d.state = 'waiting' AND %(further)s <= (SELECT count(*) FROM payments_statement t
    WHERE t.channel = s.channel AND t.day > s.day AND t.reconciled_at > d.decided_at)
ORDER BY d.id
"""
FURTHER_DAYS = 2
"""A difference that waits for another day is opened again when so many further days do not list it."""


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
            proposal=_proposal(kind, refund_id, (ours, theirs), _near_midnight(at, begins, ends)),
            asked=0, ask_next_at=clock.wire_now(), look_next_at=clock.wire_now(),
        )  # fmt: skip
        event = DifferenceFound(row.id, row.id, statement.channel)
        facts = {"statement": statement.id, "kind": kind, "ours_fen": ours, "theirs_fen": theirs}
        u.begin(m.DIFFERENCE, row, by=CLOCK, says=wording.FOUND, facts=facts, event=event)
        u.add(row)
    return len(rows)


def appeared_on(u: Unit, statement: Statement) -> list[str]:
    """Ids of differences of other days whose line stands on this statement."""
    found = u.execute(_APPEARED, {"statement": statement.id, "channel": statement.channel})
    return [difference_id for (difference_id,) in found.fetchall()]


def waited_long(u: Unit, channel: str) -> list[str]:
    """Ids of differences that wait for another day, although further days have come and do not list them."""
    found = u.execute(_WAITED_LONG, {"channel": channel, "further": FURTHER_DAYS})
    return [difference_id for (difference_id,) in found.fetchall()]


def agreeing(u: Unit, difference_ids: list[str]) -> list[str]:
    """Those of them about whose number the ledger and the channel's statements say the same by now."""
    u.flush_rows()
    found = u.execute(_AGREEING, {"differences": difference_ids}).fetchall()
    return sorted(difference_id for (difference_id,) in found)


def off_by(row: Difference) -> int:
    """How much more the channel says than we do, in fen."""
    return (row.theirs_fen or 0) - (row.ours_fen or 0)


def booking_of(row: Difference) -> int:
    """How much more the channel holds than we know of; what it gave back unknown to us is less in its hands."""
    return -off_by(row) if about_return(row) else off_by(row)


def about_return(row: Difference) -> bool:
    """Whether it is about money given back, and not about money received."""
    return row.kind == m.REFUND_DIFFERS or row.refund_id is not None


def _proposal(kind: str, refund_id: str | None, fens: tuple[int | None, int | None], near: bool) -> str:
    ours, theirs = fens
    if theirs is None:
        return m.WAIT if near else m.ASK
    if ours == theirs:
        return m.BOOK  # another payment's return: its amount is in no doubt
    if kind == m.STATE_DIFFERS or (kind == m.REFUND_DIFFERS and refund_id is not None):
        return m.ASK
    return m.BOOK


def _near_midnight(at: datetime | None, begins: datetime, ends: datetime) -> bool:
    return at is not None and (at - begins < MIDNIGHT or ends - at <= MIDNIGHT)
