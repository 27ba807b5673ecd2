"""Seals: nothing waits for them, nothing comes in before them, and whatever is changed behind our back is found."""

import threading

import pytest
from sqlalchemy import text

import payments
from backend.kernel import ids
from backend.store import engine
from backend.store.unit import run_unit, unit
from payments.ledger import ledger, sealing


@pytest.fixture
def department(database) -> str:
    """A department whose bank account has three sealed lines, in two links."""
    made = ids.new_id("dp")
    for fen in (700, 800):
        pay_out(made, fen)
    sealing.seal_ledger()
    pay_out(made, 900)
    sealing.seal_ledger()
    return made


def pay_out(department: str, fen: int) -> None:
    run_unit(lambda u: _pay_out(u, department, fen))


def _pay_out(u, department: str, fen: int) -> None:
    words = {"settlement_id": ids.new_id("stl"), "channel": "alipay", "department_id": department}
    ledger.enter_settlement(u, **words, net_fen=fen, fee_fen=0)


def faults_of(department: str) -> list[str]:
    account = ledger.bank(department)
    return [fault for fault in run_unit(payments.check_books) if account in fault]


def seals_of(department: str) -> list[tuple[int, int, int]]:
    asked = "SELECT seq, entries, sum_fen FROM payments_ledger_seal WHERE account = %s ORDER BY seq"
    return run_unit(lambda u: u.execute(asked, (ledger.bank(department),)).fetchall())


def behind_our_back(table: str, statement: str, department: str) -> None:
    """What somebody with all rights on the database could do, seen and then undone again."""
    with engine.engine().connect() as connection:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text(statement), {"account": ledger.bank(department)})
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        connection.commit()


@pytest.fixture
def tampered(department):
    """Does mischief and makes it good after the test."""
    undone: list[tuple[str, str]] = []

    def do(table: str, statement: str, undo: str) -> None:
        behind_our_back(table, statement, department)
        undone.append((table, undo))

    yield do
    for table, undo in undone:
        behind_our_back(table, undo, department)


def test_every_entry_is_sealed_once(department):
    assert seals_of(department) == [(1, 2, 1500), (2, 1, 900)]
    sealing.seal_ledger()
    assert seals_of(department) == [(1, 2, 1500), (2, 1, 900)]
    assert faults_of(department) == []


def test_a_long_account_is_sealed_link_by_link(department, monkeypatch):
    monkeypatch.setattr(sealing, "PER_LINK", 2)
    for fen in (1, 2, 3):
        pay_out(department, fen)
    sealing.seal_ledger()
    assert seals_of(department)[2:] == [(3, 2, 3), (4, 1, 3)]
    assert faults_of(department) == []


ENTRY, SEAL = "payments_ledger_entry", "payments_ledger_seal"
_FIRST = f"id = (SELECT min(id) FROM {ENTRY} WHERE account = :account)"
MISCHIEF = [
    (ENTRY, f"UPDATE {ENTRY} SET amount_fen = 699 WHERE {_FIRST}",
     f"UPDATE {ENTRY} SET amount_fen = 700 WHERE {_FIRST}"),
    (ENTRY, f"UPDATE {ENTRY} SET matter = matter || 'x' WHERE {_FIRST}",
     f"UPDATE {ENTRY} SET matter = left(matter, -1) WHERE {_FIRST}"),
    (ENTRY, f"UPDATE {ENTRY} SET account = account || 'x' WHERE {_FIRST}",
     f"UPDATE {ENTRY} SET account = :account WHERE account = :account || 'x'"),
    (SEAL, f"UPDATE {SEAL} SET seq = 9 WHERE account = :account AND seq = 1",
     f"UPDATE {SEAL} SET seq = 1 WHERE account = :account AND seq = 9"),
    (SEAL, f"UPDATE {SEAL} SET sum_fen = sum_fen + 1 WHERE account = :account AND seq = 2",
     f"UPDATE {SEAL} SET sum_fen = sum_fen - 1 WHERE account = :account AND seq = 2"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "mischief", "undo"), MISCHIEF)
def test_what_is_changed_behind_our_back_is_found(department, tampered, table, mischief, undo):
    tampered(table, mischief, undo)
    assert faults_of(department)


def test_an_entry_slipped_in_later_is_found(department, tampered):
    slipped = f"""
        INSERT INTO {ENTRY} (id, movement, account, amount_fen, matter, entered_at) OVERRIDING SYSTEM VALUE
        SELECT -id, 'slipped', account, 1, matter, entered_at FROM {ENTRY} WHERE account = :account LIMIT 1
    """.replace("-id", "(SELECT min(id) - 1000000000 FROM payments_ledger_entry)")
    tampered(ENTRY, slipped, f"DELETE FROM {ENTRY} WHERE account = :account AND movement = 'slipped'")
    assert faults_of(department)


def test_the_sealer_waits_for_an_older_writer(department):
    """An entry with a smaller number may become visible after one with a larger number."""
    sealed = threading.Event()

    def seal() -> None:
        sealing.seal_ledger()
        sealed.set()

    with unit() as u:
        _pay_out(u, department, 11)
        elsewhere = threading.Thread(target=pay_out, args=(department, 22))
        elsewhere.start()
        elsewhere.join()
        sealer = threading.Thread(target=seal)
        sealer.start()
        assert not sealed.wait(0.5)
    sealer.join()
    assert seals_of(department)[2:] == [(3, 2, 33)]
    assert faults_of(department) == []


def test_a_writer_that_stays_is_left_for_later(department, monkeypatch):
    monkeypatch.setattr(sealing, "PATIENCE", sealing.PATIENCE * 0)
    with unit() as u:
        _pay_out(u, department, 11)
        sealer = threading.Thread(target=sealing.seal_ledger)
        sealer.start()
        sealer.join()
    assert len(seals_of(department)) == 2
    sealing.seal_ledger()
    assert len(seals_of(department)) == 3


def test_two_sealers_at_once_write_one_chain(department, monkeypatch):
    """One reads what is open, and before it has written its link another comes by."""
    pay_out(department, 11)
    read, others = sealing._entries, []

    def read_slowly(account: str, *more):
        entries = read(account, *more)
        if account == ledger.bank(department) and not others:
            others.append(threading.Thread(target=sealing.seal_ledger))
            others[0].start()
            others[0].join(0.5)
        return entries

    monkeypatch.setattr(sealing, "_entries", read_slowly)
    sealing.seal_ledger()
    others[0].join()
    assert seals_of(department)[2:] == [(3, 1, 11)]
    assert faults_of(department) == []


def test_no_payment_waits_for_the_sealer(department):
    """Sealing takes no lock that a writer wants."""
    with engine.engine().begin() as connection:
        connection.execute(text(f"LOCK TABLE {SEAL} IN ACCESS EXCLUSIVE MODE"))
        pay_out(department, 5)
    assert faults_of(department) == []
