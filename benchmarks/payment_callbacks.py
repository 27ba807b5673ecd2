"""How fast true news of money is heard over HTTP, beside the database writing only what a payer would miss.

Success notices of WeChat Pay (sealed and signed) and Alipay (signed), alternating, each for a payment of its own
that awaits its money, are proven, opened, kept, settled with ledger, receipt, journal and event, and answered after
the commit. The limit is the state change, one journal row and two ledger entries in plain statements.
"""

import itertools

from backend.kernel import clock
from backend.store import engine
from benchmarks import generators, notices, seeding
from benchmarks.frame import ROUNDS, Report, interleaved, ratio
from benchmarks.stage import Stage, with_providers

LINES = 14_000
LIMIT = "payment_callbacks"
_PAYMENTS = """
    INSERT INTO payments_payment (id, number, state, subject, matter, person_id, payee, channel, title, amount_fen,
        settles, unwanted, ticket, opened_at, expires_at, asked, ask_next_at)
    SELECT 'pay-' || name, 'pay' || name, 'awaiting', 'case:cs-' || name, 'cs-' || name, 'ps-' || name, 'BZ-BENCH',
        CASE n % 2 WHEN 0 THEN 'wechat_pay' ELSE 'alipay' END, '不动产登记费', {fen}, false, false, 'ticket-' || n,
        '{at}', '2100-01-01T00:00:00Z', 0, '2100-01-01T00:00:00Z'
    FROM (SELECT n, lpad(n::text, 26, '0') AS name FROM generate_series(0, {count} - 1) n) numbered
"""
_HEADS = """
    INSERT INTO store_stream (id, seq, link)
    SELECT 'cs-' || lpad(n::text, 26, '0'), 2, decode(repeat('ab', 32), 'hex')
    FROM generate_series(0, {count} - 1) n
"""


def run(place: Stage, report: Report) -> None:
    report.say(f"limit {LIMIT}.sql, digest {generators.digest(LIMIT)}")
    count = LINES * (ROUNDS + 1)
    tables = (generators.LIMITS / f"{LIMIT}.tables.sql").read_text("utf-8")
    filled = {"count": count, "fen": notices.FEN, "at": clock.now().isoformat()}
    seeding.execute([_PAYMENTS.format(**filled), _HEADS.format(**filled), tables])
    turn = itertools.count()
    latency: list[generators.Load] = []
    with with_providers(place) as (web_url, _), notices.post_office(place) as office:

        def ours(seconds: int = generators.SECONDS) -> float:
            # Sealed just before they are sent: a notice is good for five minutes.
            file = office.written(place.folder / "notices.txt", next(turn) * LINES, LINES)
            env = {"LINES": str(file)}
            latency.append(generators.wrk(web_url, "post_notices.lua", env, seconds=seconds))
            return latency[-1].rate

        ours(seconds=generators.SECONDS // 2)
        latency.clear()
        sides = [
            ("callbacks", ours),
            ("pgbench", lambda: generators.pgbench(place.database_url, LIMIT, seconds=5)),
        ]
        rates = interleaved(report, sides)
    ratio(report, "ratio_to_pgbench", rates["callbacks"], rates["pgbench"], wanted=">=0.15")
    report.figure("per_second", sorted(rates["callbacks"])[1])
    report.figure("p50_ms", sorted(load.p50_ms for load in latency)[1])
    report.figure("p99_ms", sorted(load.p99_ms for load in latency)[1])
    _prove(report)


def _prove(report: Report) -> None:
    """Whatever was answered is in the books: as many paid payments, ledger movements and receipts."""
    asked = """
        SELECT (SELECT count(*) FROM payments_payment WHERE settles),
               (SELECT count(DISTINCT movement) FROM payments_ledger_entry),
               (SELECT count(*) FROM payments_receipt), (SELECT sum(amount_fen) FROM payments_ledger_entry)
    """
    *counts, balance = engine.ask(asked) or ()
    report.say(f"payments {counts[0]}, movements {counts[1]}, receipts {counts[2]}, balance {balance}")
    if len(set(counts)) != 1 or balance:
        raise generators.BadRun("the books do not fit what was answered")
