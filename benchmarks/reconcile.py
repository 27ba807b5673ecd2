"""A day of a million lines: one channel's statement against our ledger, with a thousand differences planted by number.

Our side is seeded by SQL, theirs is a real file in the provider's form, read by the real reader. What is found must be
what was planted, no more and no less, and doing it all again must change nothing. Nobody is asked: there is no channel
on this stage.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text

from backend.kernel import clock, ids
from backend.kernel.money import yuan
from backend.runtime.settings import settings
from backend.store import engine
from backend.store.unit import CLOCK, Unit, run_unit
from benchmarks import seeding
from benchmarks.frame import Report
from benchmarks.generators import BadRun
from benchmarks.stage import Stage
from payments.channels.port import BillFile
from payments.reconciliation import fetching, tasks
from payments.reconciliation.machine import STATEMENT
from payments.reconciliation.models import Statement
from payments.reconciliation.views import Wish

CHANNEL = "wechat_pay"
PAID, RETURNED, PAYEES = 950_000, 50_000, 20
BACK_FEN = 50
MEMORY_MB = 300
T = TypeVar("T")
# What is planted at which numbers of ours: each kind has places of its own, and each place one difference.
DROPPED, AMOUNT, SILENT, TWICE = (
    range(100_000, 100_200),
    range(200_000, 200_200),
    range(300_000, 300_150),
    range(50),
)
BACK_DROPPED, BACK_AMOUNT = range(10_000, 10_050), range(20_000, 20_100)
STRANGERS, BACK_STRANGERS = 200, 50
_HEAD = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
_PAYMENTS = """
    INSERT INTO payments_payment (id, number, state, subject, matter, person_id, payee, channel, product, title,
        amount_fen, received_fen, settles, unwanted, reference, opened_at, expires_at, paid_at, asked, ask_next_at)
    SELECT 'pay-' || d, 'pay' || d, CASE WHEN silent THEN 'awaiting' ELSE 'paid' END, 'case:cs-' || d, 'cs-' || d,
        'ps-' || d, 'BZ-' || n % {payees}, '{channel}', 'mini', '不动产登记费', {fen},
        CASE WHEN NOT silent THEN {fen} END,
        NOT silent, false, CASE WHEN NOT silent THEN 'tx' || d END, at, at + interval '15 min',
        CASE WHEN NOT silent THEN at END, 0, at
    FROM (SELECT n, lpad(n::text, 26, '0') AS d, n BETWEEN {first_silent} AND {last_silent} AS silent,
            '{noon}'::timestamptz + n % 30000 * interval '1 s' AS at FROM generate_series(0, {paid} - 1) n) s
"""
_LEDGER = """
    INSERT INTO payments_ledger_entry (movement, account, amount_fen, payment_id, matter, entered_at)
    SELECT id || '\\:received', side, CASE side WHEN 'clearing:{channel}' THEN amount_fen ELSE -amount_fen END, id,
        matter, paid_at
    FROM payments_payment, LATERAL (VALUES ('clearing:{channel}'), ('payee:' || payee)) sides (side)
    WHERE paid_at IS NOT NULL
"""
_REFUNDS = """
    INSERT INTO payments_refund (id, number, payment_id, state, matter, amount_fen, owed, way, reason, asked_by,
        requested_at, returned_at, asked, ask_next_at)
    SELECT 'rf-' || d, 'rf' || d, 'pay-' || d, 'succeeded', 'cs-' || d, {back}, false, 'channel', '多收费用', 'st-1',
        '{noon}', '{noon}', 0, '{noon}'
    FROM (SELECT lpad(n::text, 26, '0') AS d FROM generate_series(0, {returned} - 1) n) s
"""
_BACK_LEDGER = """
    INSERT INTO payments_ledger_entry (movement, account, amount_fen, payment_id, matter, entered_at)
    SELECT id || '\\:returned', side, CASE side WHEN 'clearing:{channel}' THEN -amount_fen ELSE amount_fen END,
        payment_id, matter, returned_at
    FROM payments_refund, LATERAL (VALUES ('clearing:{channel}'), ('refund:{channel}')) sides (side)
"""
_FOUND = text("SELECT kind, number FROM payments_difference WHERE statement_id = :statement")
_STATE = text("""
    SELECT (SELECT count(*) FROM payments_statement_line), (SELECT count(*) FROM payments_difference),
        (SELECT md5(string_agg(id || net_fen, ',' ORDER BY id)) FROM payments_settlement),
        (SELECT count(*) FROM payments_ledger_entry), (SELECT count(*) FROM payments_payment WHERE settled_at IS NULL),
        (SELECT count(*) FROM store_journal)
""")


def run(place: Stage, report: Report) -> None:
    """Raises BadRun when anything planted was not found, anything else was, or a second run changed something."""
    day = clock.today() - timedelta(days=1)
    _timed(report, "seeded our side", lambda: _seed(day))
    path = place.folder / "statement.csv"
    digest = _timed(report, "wrote their side", lambda: _write(path, day))
    report.say(
        f"their file: {path.stat().st_size / 2**20:.0f} MB; memory before: {_peak_mb():.0f} MB at most"
    )
    wish, begun = run_unit(lambda u: _wanted(u, day)), clock.monotonic()
    _timed(report, "read into the database", lambda: _take(wish, path, digest))
    found = _timed(report, "compared", lambda: tasks.note_differences(wish))
    _timed(report, "settled", lambda: tasks.settle_day(wish))
    report.figure("seconds", clock.monotonic() - begun)
    _judge(report, wish, found)
    before = _state()
    _timed(report, "did it again", lambda: _again(wish, path, digest))
    if _state() != before:
        raise BadRun(f"doing it again changed something: {before} became {_state()}")
    report.figure("rows_per_side", PAID + RETURNED)
    report.figure("peak_memory_mb", _peak_mb(), wanted=f"at most {MEMORY_MB}")


def _timed(report: Report, what: str, work: Callable[[], T]) -> T:
    begun = clock.monotonic()
    result = work()
    report.say(f"{what} in {clock.monotonic() - begun:.1f} s; memory so far {_peak_mb():.0f} MB at most")
    return result


def _peak_mb() -> float:
    """The most this process ever held in memory."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def _fen(n: int) -> int:
    return 100 + n % 9900


def _seed(day: date) -> None:
    words = {
        "payees": PAYEES, "channel": CHANNEL, "fen": "100 + n % 9900", "first_silent": SILENT[0],
        "last_silent": SILENT[-1], "noon": clock.at_local(day, 12).isoformat(), "paid": PAID, "back": BACK_FEN,
        "returned": RETURNED,
    }  # fmt: skip
    with engine.engine().begin() as connection:
        # Nothing of it is doubted: foreign keys and guards would take longer than what is measured.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in (_PAYMENTS, _LEDGER, _REFUNDS, _BACK_LEDGER):
            connection.execute(text(statement.format(**words)))
    seeding.execute(())


def _planted() -> set[tuple[str, str]]:
    planted = {("missing_here", f"stranger{n}") for n in range(STRANGERS)}
    planted |= {("refund_differs", f"strangerback{n}") for n in range(BACK_STRANGERS)}
    for kind, places in (("missing_there", DROPPED), ("amount_differs", AMOUNT), ("state_differs", SILENT)):
        planted |= {(kind, f"pay{n:026d}") for n in places}
    planted |= {("told_twice", f"pay{n:026d}") for n in TWICE}
    return planted | {("refund_differs", f"rf{n:026d}") for n in (*BACK_DROPPED, *BACK_AMOUNT)}


def _told_paid() -> Iterator[tuple[str, int]]:
    for n in range(PAID):
        if n in DROPPED:
            continue
        yield f"pay{n:026d}", _fen(n) + (n in AMOUNT)
        if n in TWICE:
            yield f"pay{n:026d}", _fen(n)
    yield from ((f"stranger{n}", 700) for n in range(STRANGERS))


def _told_back() -> Iterator[tuple[str, str, int]]:
    for n in range(RETURNED):
        if n not in BACK_DROPPED:
            yield f"pay{n:026d}", f"rf{n:026d}", BACK_FEN + (n in BACK_AMOUNT)
    yield from ((f"pay{n:026d}", f"strangerback{n}", 5) for n in range(BACK_STRANGERS))


def _write(path: Path, day: date) -> str:
    """The trade bill as WeChat Pay writes it; returns the hash of its bytes."""
    count, income, outgo, merchant = 0, 0, 0, settings().wxpay.mchid
    start = f"`{day} 12:00:00,`wx-app,`{merchant},`0,`,`4200{'0' * 24}"
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"\ufeff{_HEAD}\r\n")
        for number, fen in _told_paid():
            count, income, amount = count + 1, income + fen, yuan(fen)
            file.write(
                f"{start},`{number},`openid,`JSAPI,`SUCCESS,`OTHERS,`CNY,`{amount},`0.00,`0,`0,`0.00,`0.00,`,`"
                f",`不动产登记费,`,`0.00000,`0.00%,`{amount},`0.00,`\r\n"
            )
        for number, back, fen in _told_back():
            count, outgo, amount = count + 1, outgo + fen, yuan(fen)
            file.write(
                f"{start},`{number},`openid,`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5030,`{back},`{amount},`0.00"
                f",`ORIGINAL,`SUCCESS,`不动产登记费,`,`0.00000,`0.00%,`0.00,`{amount},`\r\n"
            )
        sums = (str(count), yuan(income), yuan(outgo), "0.00", "0.00000", yuan(income), yuan(outgo))
        file.write(f"{_SUMS}\r\n" + ",".join(f"`{one}" for one in sums) + "\r\n")
    with path.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()


def _wanted(u: Unit, day: date) -> Wish:
    row = Statement(id=ids.new_id("stm"), channel=CHANNEL, day=day, asked=0, ask_next_at=clock.wire_now())
    row.lines = row.paid_fen = row.returned_fen = row.fee_fen = 0
    u.begin(STATEMENT, row, by=CLOCK, says="等待渠道对账单")
    u.add(row)
    return Wish(row.id, CHANNEL, day)


def _take(wish: Wish, path: Path, digest: str) -> None:
    with path.open("rb") as file:
        if not fetching.take_in(wish, BillFile(file, "utf-8", digest)):
            raise BadRun("the statement was refused")


def _judge(report: Report, wish: Wish, noted: int) -> None:
    planted = _planted()
    rows = run_unit(lambda u: list(u.session.execute(_FOUND, {"statement": wish.id})))
    found = {(kind, number) for kind, number in rows}
    report.figure("planted", len(planted))
    report.figure("found", len(planted & found), wanted=f"{len(planted)}")
    report.figure("invented", len(found - planted), wanted="0")
    if found != planted or noted != len(planted):
        raise BadRun(f"missed {sorted(planted - found)[:5]}, invented {sorted(found - planted)[:5]}")


def _again(wish: Wish, path: Path, digest: str) -> None:
    _take(wish, path, digest)
    if tasks.note_differences(wish) or tasks.settle_day(wish):
        raise BadRun("the second time brought something new")


def _state() -> tuple[object, ...]:
    def look(u: Unit) -> tuple[object, ...]:
        u.execute("SELECT set_config('statement_timeout', '0', true)")
        return tuple(u.session.execute(_STATE).one())

    return run_unit(look)
