"""Seals on the ledger: a keyed chain per account, so that an entry changed behind our back is noticed.

Entries are sealed afterwards by a chore, never in the payer's transaction, so that no payment waits for an account.
Whoever seals an account holds it until the link is written, so that two sealers at once go on where the other ended.
The chore notes how far the ledger reaches, waits until everybody who was writing at that moment has ended, and seals
up to there: nothing can come in before it any more. A link is a keyed digest over the link before and the entries.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import orjson

from backend.kernel import clock
from backend.runtime.worker import chore
from backend.store import lean, vault
from backend.store.unit import Unit, run_unit

ZERO_LINK = bytes(32)
BEFORE_ALL = -(2**63)
PER_LINK = 5_000
PATIENCE = timedelta(seconds=10)
BREATH_S = 0.05

_REACH = "SELECT coalesce(max(id), 0) FROM payments_ledger_entry"
# Who writes holds this lock from before the first number is drawn until the end of the transaction.
_WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = 'payments_ledger_entry'::regclass AND mode = 'RowExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# Accounts are found by hopping through the index: there are few of them, and millions of entries.
_OPEN = """
    WITH RECURSIVE one AS (
        (SELECT account FROM payments_ledger_entry ORDER BY account LIMIT 1)
        UNION ALL
        SELECT (SELECT account FROM payments_ledger_entry e WHERE e.account > one.account ORDER BY account LIMIT 1)
        FROM one WHERE one.account IS NOT NULL
    )
    SELECT one.account FROM one LEFT JOIN LATERAL (
        SELECT last_entry FROM payments_ledger_seal WHERE account = one.account ORDER BY seq DESC LIMIT 1
    ) s ON true
    WHERE EXISTS (
        SELECT FROM payments_ledger_entry n
        WHERE n.account = one.account AND n.id > coalesce(s.last_entry, %(none)s::bigint) AND n.id <= %(upto)s
    ) ORDER BY 1
"""
_ENTRIES = """
    SELECT id, movement, amount_fen, payment_id, matter, entered_at, tx FROM payments_ledger_entry
    WHERE account = %s AND id > %s AND id <= %s ORDER BY id LIMIT %s
"""
# Waits for no writer, and no writer waits for it: only sealers take this lock.
_HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('payments.seal:' || %s, 0))"
_LAST = "SELECT seq, last_entry, link FROM payments_ledger_seal WHERE account = %s ORDER BY seq DESC LIMIT 1"
_SEAL = """
    INSERT INTO payments_ledger_seal (account, seq, first_entry, last_entry, entries, sum_fen, link, sealed_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_ACCOUNTS = "SELECT DISTINCT account FROM payments_ledger_seal ORDER BY 1"
_SEALS = """
    SELECT seq, first_entry, last_entry, entries, sum_fen, link FROM payments_ledger_seal
    WHERE account = %s AND seq > %s ORDER BY seq LIMIT 200
"""


@chore("payments.seal_ledger", every=timedelta(minutes=1))
def seal_ledger() -> int:
    """Seal every entry that can no longer be preceded; returns how many were sealed."""
    upto, writers = run_unit(_mark)
    if not upto or not _have_ended(writers):
        return 0
    found = run_unit(lambda u: u.execute(_OPEN, {"none": BEFORE_ALL, "upto": upto}).fetchall())
    return sum(_seal_account(account, upto) for (account,) in found)


def verify_chains(u: Unit) -> list[str]:
    """What is wrong with the sealed part of the ledger, one sentence for each account."""
    accounts = u.execute(_ACCOUNTS).fetchall()
    return [fault for (account,) in accounts if (fault := _verify(u, account))]


def _mark(u: Unit) -> tuple[int, frozenset[str]]:
    """How far the ledger reaches, and who is writing: whoever drew a smaller number is among them, or has ended."""
    row = u.execute(_REACH).fetchone()
    return int(row[0]) if row else 0, frozenset(name for (name,) in u.execute(_WRITERS))


def _have_ended(writers: frozenset[str]) -> bool:
    """Wait a little for writers to end; a longer one is waited for at the next turn of the chore."""
    end = clock.monotonic() + PATIENCE.total_seconds()
    while writers:
        writers &= run_unit(lambda u: {name for (name,) in u.execute(_WRITERS)})
        if writers and clock.monotonic() > end:
            return False
        if writers:
            clock.sleep(BREATH_S)
    return True


def _seal_account(account: str, upto: int) -> int:
    """Seal what is open of one account, a link for every five thousand entries, each in a unit of its own."""
    sealed = 0
    while count := run_unit(partial(_next_seal, account, upto)):
        sealed += count
    return sealed


def _next_seal(account: str, upto: int, u: Unit) -> int:
    """Write one more link behind the newest, whoever wrote that; returns how many entries it seals."""
    u.execute(_HOLD, (account,))
    seq, last, link = u.execute(_LAST, (account,)).fetchone() or (0, BEFORE_ALL, ZERO_LINK)
    entries = _entries(account, last, upto, PER_LINK, u)
    if not entries:
        return 0
    sums = len(entries), sum(entry[2] for entry in entries)
    new_link = _next_link(bytes(link), account, seq + 1, entries)
    u.execute(_SEAL, (account, seq + 1, entries[0][0], entries[-1][0], *sums, new_link, clock.now()))
    return len(entries)


def _entries(account: str, after: int, upto: int, most: int, u: Unit) -> list[lean.Row]:
    return u.execute(_ENTRIES, (account, after, upto, most)).fetchall()


def _next_link(link: bytes, account: str, seq: int, entries: list[lean.Row]) -> bytes:
    told = [(*entry[:5], round(entry[5].timestamp() * 1_000_000), entry[6]) for entry in entries]
    return vault.journal_digest(b"ledger|" + link + orjson.dumps([account, seq, told]))


def _verify(u: Unit, account: str) -> str | None:
    seq, last, link = 0, BEFORE_ALL, ZERO_LINK
    for number, first_entry, last_entry, count, sum_fen, told in _seals(u, account):
        if number != seq + 1:
            return f"ledger: link {seq + 1} of {account} is missing"
        entries = _entries(account, last, last_entry, count + 1, u)
        seq, last, link = number, last_entry, _next_link(link, account, number, entries)
        seen = (len(entries), sum(entry[2] for entry in entries), entries[0][0] if entries else 0, link)
        if seen != (count, sum_fen, first_entry, bytes(told)):
            return f"ledger: entries {first_entry}-{last_entry} of {account} do not fit link {number}"
    return None


def _seals(u: Unit, account: str) -> Iterator[lean.Row]:
    seq = 0
    while rows := u.execute(_SEALS, (account, seq)).fetchall():
        yield from rows
        seq = rows[-1][0]
