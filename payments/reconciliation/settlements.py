"""What a channel owes each payee for a day: paid out, it is the treasury's (收支两条线).

Settlements are made of the statement's own lines, so that they add up to what the channel pays out; a line whose
payment nobody knows belongs to no payee and stays a difference, and so does a line told before. What went back is
its own refund's payment's, whatever payment the line names.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from backend.kernel import clock, ids
from backend.store.unit import Unit, run_unit
from payments.ledger import ledger
from payments.reconciliation import credits
from payments.reconciliation.models import Settlement, Statement

SLICE = 20_000
"""So many lines are marked in one transaction: refunds of yesterday's payments must not wait for a million rows."""
_PURSE = "coalesce((SELECT y.purse FROM payments_payee y WHERE y.department_id = payee), 'treasury')"
_MARK = f"""
    UPDATE payments_payment p SET settled_at = %(at)s, purse = {_PURSE} FROM payments_statement_line l
    WHERE l.statement_id = %(statement)s AND l.line > %(after)s AND l.line <= %(upto)s AND l.kind = 'paid'
      AND p.number = l.number AND p.channel = %(channel)s AND p.paid_at IS NOT NULL AND p.settled_at IS NULL
"""
_MARK_ONE = f"""
    UPDATE payments_payment SET settled_at = %(at)s, purse = {_PURSE}
    WHERE id = %(payment)s AND paid_at IS NOT NULL AND settled_at IS NULL
"""
_TOTALS = """
    SELECT p.payee, count(*) FILTER (WHERE l.kind = 'paid')::int,
        coalesce(sum(l.amount_fen) FILTER (WHERE l.kind = 'paid'), 0)::bigint,
        coalesce(sum(l.amount_fen) FILTER (WHERE l.kind = 'returned'), 0)::bigint, sum(l.fee_fen)::bigint
    FROM payments_statement_line l
    LEFT JOIN payments_refund r ON l.kind = 'returned' AND r.number = l.number
    LEFT JOIN payments_payment own ON own.id = r.payment_id
    JOIN payments_payment p ON p.number = coalesce(own.number, l.payment_number) AND p.channel = %(channel)s
    WHERE l.statement_id = %(statement)s AND NOT l.again GROUP BY p.payee ORDER BY p.payee
"""


def mark_settled(statement_id: str, channel: str, lines: int) -> None:
    """Note on every payment of the statement that the channel has paid it out, a slice at a time."""
    for after in range(0, lines, SLICE):
        told = {"statement": statement_id, "channel": channel, "after": after, "upto": after + SLICE}
        run_unit(partial(_mark, told | {"at": clock.now()}))


def _mark(told: Mapping[str, Any], u: Unit) -> None:
    u.execute(_MARK, told)


def mark_one(u: Unit, payment_id: str) -> None:
    """The same for one payment whose money was found after its day was settled."""
    u.execute(_MARK_ONE, {"payment": payment_id, "at": clock.now()})


def make(u: Unit, statement: Statement) -> None:
    """One settlement for each payee, its movement in the ledger, and the credits that waited for it."""
    u.execute("SELECT set_config('statement_timeout', '0', true)")
    for payee, count, paid, returned, fee in u.execute(
        _TOTALS, {"statement": statement.id, "channel": statement.channel}
    ).fetchall():
        row = Settlement(
            id=ids.new_id("sm"), statement_id=statement.id, channel=statement.channel, day=statement.day,
            payee=payee, payments=count, paid_fen=paid, returned_fen=returned, fee_fen=fee,
            net_fen=paid - returned - fee, made_at=clock.now(),
        )  # fmt: skip
        u.add(row)
        ledger.enter_settlement(
            u,
            settlement_id=row.id,
            channel=row.channel,
            department_id=payee,
            net_fen=row.net_fen,
            fee_fen=fee,
        )
        u.flush_rows()
        credits.match_waiting(u, payee, statement.channel)
