"""Bringing statements in: which days are wanted, what a channel answers, and the rows of its file, all or none.

Channels make a day's statement during the next morning. A file goes into the database line by line while it is read
(COPY), in one transaction: a file that turns out spoilt at its very end leaves nothing behind but its trouble.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from backend.kernel import clock, ids
from backend.store.unit import CLOCK, Unit, run_unit
from payments.channels import NAMES, channel, port, statements
from payments.machine import OPEN, UNDER_WAY
from payments.models import CHANNEL, Payment, Refund
from payments.reconciliation import wording
from payments.reconciliation.machine import PAID_LINE, STATEMENT, WANTED
from payments.reconciliation.models import Statement
from payments.reconciliation.views import Wish
from payments.subjects import provider_actor

log = logging.getLogger(__name__)
READY_AT = 10
"""Both channels promise yesterday's statement for ten in the morning."""
FURTHEST = timedelta(days=90)
"""Channels keep statements for three months at least."""
AGAIN = timedelta(minutes=10)
SELDOM = timedelta(hours=1)
OFTEN = 12
"""So many tries ten minutes apart, then one an hour."""
SOON = tuple(timedelta(seconds=s) for s in (5, 30, 120))
"""Sooner after the first tries, when the channel was only ill: it was not that its statement is not made yet."""
BELIEVED_AFTER = timedelta(days=3)
"""A channel that knows of no bill although money moved is believed this long after the day; then it is missed."""
JUST_BEFORE = timedelta(hours=1)
"""What the channel was asked for so shortly before a day may have happened on it."""
ANALYZED_FROM = 10_000
_COPY = """
    COPY payments_statement_line
        (statement_id, line, kind, number, payment_number, reference, amount_fen, fee_fen, happened_at) FROM STDIN
"""
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended('payments.statement:' || %(channel)s, 0))"
_MARK_AGAIN = """
    UPDATE payments_statement_line l SET again = true FROM (
        SELECT line, row_number() OVER (PARTITION BY kind, number ORDER BY line) AS nth
        FROM payments_statement_line WHERE statement_id = %(statement)s) mine
    WHERE l.statement_id = %(statement)s AND l.line = mine.line AND (mine.nth > 1 OR EXISTS (
        SELECT FROM payments_statement_line e JOIN payments_statement s ON s.id = e.statement_id
        WHERE e.number = l.number AND e.kind = l.kind AND s.id <> %(statement)s AND s.channel = %(channel)s))
"""


def want_days(u: Unit) -> int:
    """Note every past day without a statement, from the first payment over a channel on; returns how many."""
    now = clock.local(clock.now())
    last = now.date() - timedelta(days=1 if now.hour >= READY_AT else 2)
    missing = [(name, day) for name in NAMES for day in _missing_days(u, name, last)]
    for name, day in missing:
        row = Statement(id=ids.new_id("stm"), channel=name, day=day, asked=0, ask_next_at=clock.wire_now())
        row.lines = row.paid_fen = row.returned_fen = row.fee_fen = 0
        u.begin(STATEMENT, row, by=CLOCK, says=wording.STATEMENT_WANTED, facts={"day": day.isoformat()})
        u.add(row)
    return len(missing)


def claim(u: Unit) -> list[Wish]:
    """Statements to be fetched now, the oldest day first; each is tried again later unless it comes."""
    at = clock.wire_now()
    due = select(Statement).where(Statement.state == WANTED, Statement.ask_next_at <= at)
    rows = u.session.scalars(
        due.order_by(Statement.day, Statement.id).with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.asked += 1
        row.ask_next_at = at + (AGAIN if row.asked < OFTEN else SELDOM)
    return [Wish(row.id, row.channel, row.day) for row in rows]


def bring(wish: Wish) -> bool:
    """Ask the channel and take its file in; True when the statement is here. It calls outside: no unit is open."""
    answer = channel(wish.channel).fetch_bill(wish.day)
    if isinstance(answer, port.BillFile):
        with closing(answer.file):
            return take_in(wish, answer)
    if isinstance(answer, port.NoBill) and not run_unit(lambda u: _is_doubtful(u, wish)):
        run_unit(lambda u: _take(u, wish, iter(()), ""))
        return True
    if isinstance(answer, port.NotYet | port.NoBill):
        run_unit(lambda u: _wait(u, wish, wording.NOT_YET))
    elif isinstance(answer, port.Corrupt):
        run_unit(lambda u: _trouble(u, wish, f"{wording.CORRUPT}（{answer.why}）", answer.why))
    else:
        run_unit(lambda u: _wait(u, wish, f"{wording.SILENT}（{answer.why}）", SOON))
    return False


def _is_doubtful(u: Unit, wish: Wish) -> bool:
    """Whether money moved that day, or may have: then "no bill" may only mean "not yet". Alipay has one word for both.

    It may have as long as a payment that could be made that day is neither paid nor proven closed, or the channel was
    asked to give money back and has not told how that ended.
    """
    begun, ended = clock.start_of_day(wish.day), clock.start_of_day(wish.day + timedelta(days=1))
    if clock.now() > ended + BELIEVED_AFTER:
        return False
    came = Payment.paid_at >= begun, Payment.paid_at < ended
    unproven = Payment.state.in_(OPEN), Payment.opened_at < ended, Payment.expires_at >= begun - JUST_BEFORE
    went = Refund.returned_at >= begun, Refund.returned_at < ended
    going = (
        Refund.state.in_(UNDER_WAY),
        Refund.requested_at >= begun - JUST_BEFORE,
        Refund.requested_at < ended,
    )
    paying = select(Payment.id).where(Payment.channel == wish.channel)
    returning = (
        select(Refund.id)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Payment.channel == wish.channel, Refund.way == CHANNEL)
    )
    asked = paying.where(*came), paying.where(*unproven), returning.where(*went), returning.where(*going)
    return any(u.session.scalars(one.limit(1)).first() is not None for one in asked)


def take_in(wish: Wish, bill: port.BillFile) -> bool:
    """Read a file into the books, whole or not at all; False when it was refused and its trouble written down."""
    try:
        run_unit(lambda u: _take(u, wish, _rows(wish, bill), bill.digest))
    except statements.Spoilt as spoilt:
        why, trouble = spoilt.why, wording.TROUBLES[spoilt.why]
        said = wording.AT_LINE.format(trouble=trouble, line=spoilt.line)
        run_unit(lambda u: _trouble(u, wish, said, why))
        return False
    return True


def _rows(wish: Wish, bill: port.BillFile) -> Iterator[statements.Line]:
    bill.file.seek(0)
    return statements.lines_of(wish.channel, bill, wish.day)


def _take(u: Unit, wish: Wish, lines: Iterator[statements.Line], digest: str) -> None:
    statement = u.get(Statement, wish.id, lock=True)
    if statement is None or statement.state != WANTED:
        return
    u.execute("SELECT set_config('statement_timeout', '0', true)")
    _copy_in(u, statement, lines)
    if statement.lines >= ANALYZED_FROM:
        u.execute(
            "ANALYZE payments_statement_line"
        )  # the planner would take a million new rows for a handful
    _mark_again(u, statement)
    statement.digest, statement.trouble, statement.fetched_at = digest, None, clock.now()
    facts = {"lines": statement.lines, "paid_fen": statement.paid_fen, "returned_fen": statement.returned_fen}
    u.step(STATEMENT, statement, "fetched", by=provider_actor(wish.channel), facts=facts)


def _copy_in(u: Unit, statement: Statement, lines: Iterator[statements.Line]) -> None:
    count = paid = returned = fee = 0
    driver: Any = u.session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
        for count, line in enumerate(lines, start=1):
            if line.kind == PAID_LINE:
                paid += line.amount_fen
            else:
                returned += line.amount_fen
            fee += line.fee_fen
            copy.write_row((statement.id, count, *line))
    statement.lines, statement.fee_fen = count, fee
    statement.paid_fen, statement.returned_fen = paid, returned


def _mark_again(u: Unit, statement: Statement) -> None:
    """Mark the lines the channel had told before. One statement of a channel at a time: one of two is the first."""
    told = {"statement": statement.id, "channel": statement.channel}
    u.execute(_ONE_BY_ONE, told)
    u.execute(_MARK_AGAIN, told)


def _wait(u: Unit, wish: Wish, why: str, sooner: Sequence[timedelta] = ()) -> None:
    statement = u.get(Statement, wish.id, lock=True)
    if statement is not None and statement.state == WANTED:
        statement.trouble = why
        if 1 <= statement.asked <= len(sooner):
            statement.ask_next_at = clock.wire_now() + sooner[statement.asked - 1]
        log.info("no statement yet", extra={"channel": wish.channel, "day": wish.day.isoformat(), "why": why})


def _trouble(u: Unit, wish: Wish, trouble: str, why: str) -> None:
    statement = u.get(Statement, wish.id, lock=True)
    if statement is not None and statement.state == WANTED:
        statement.trouble = trouble
        u.step(STATEMENT, statement, "troubled", by=provider_actor(wish.channel), facts={"why": why})
        log.error(
            "statement refused", extra={"channel": wish.channel, "day": wish.day.isoformat(), "why": why}
        )


def _missing_days(u: Unit, name: str, last: date) -> list[date]:
    earliest = last - FURTHEST
    asked = select(Statement.day).where(Statement.channel == name, Statement.day >= earliest)
    known = set(u.session.scalars(asked))
    first = min(known) if known else _first_payment_on(u, name)
    if first is None:
        return []
    first = max(first, earliest)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if day not in known]


def _first_payment_on(u: Unit, name: str) -> date | None:
    at = u.session.scalar(select(func.min(Payment.opened_at)).where(Payment.channel == name))
    return None if at is None else clock.day_of(at)
