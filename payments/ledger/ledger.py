"""The double-entry ledger: every movement of money is a set of entries that adds up to nothing.

    clearing:<channel>    what a channel holds for us: received, not given back, not paid out     (debit)
    bank:<department>     what was paid out to a department's bank account                        (debit)
    fee:<channel>         what a channel kept for its service                                     (debit)
    payee:<department>    what a department has earned                                            (credit)
    citizen:<person>      what came and is nobody else's: late, twice, another amount             (credit)
    refund:<channel>      what is promised back to payers and not yet there                       (credit)
    difference:<channel>  what a channel's statement and we disagree on, until it is explained    (either)

Balances are sums of entries, never numbers kept beside them. All sides of a movement are entered by one statement,
so that the database refuses what does not add up; the unique index on (movement, account) lets nobody enter a
movement twice, not even a bug.
"""

from collections.abc import Mapping
from datetime import datetime

from backend.kernel import clock
from backend.store.unit import Unit
from payments.models import TREASURY, Payment, Refund
from payments.views import AccountBalance, LedgerLine

_COLUMNS = "INSERT INTO payments_ledger_entry (movement, account, amount_fen, payment_id, matter, entered_at)"
_ENTER = f"""
    {_COLUMNS}
    SELECT %(movement)s, account, fen, %(payment)s, %(matter)s, %(at)s
    FROM unnest(%(accounts)s::text[], %(fens)s::bigint[]) AS side (account, fen)
"""
_ENTER_RECEIPT = f"""
    {_COLUMNS} VALUES
        (%(l_movement)s, %(l_debit)s, %(l_fen)s::bigint, %(l_payment)s, %(l_matter)s, %(l_at)s),
        (%(l_movement)s, %(l_credit)s, -%(l_fen)s::bigint, %(l_payment)s, %(l_matter)s, %(l_at)s)
"""
_BALANCES = "SELECT account, sum(amount_fen)::bigint FROM payments_ledger_entry GROUP BY account"
_BALANCE = """
    SELECT coalesce(sum(amount_fen), 0)::bigint FROM payments_ledger_entry
    WHERE account = %(account)s AND entered_at < coalesce(%(before)s::timestamptz, 'infinity')
"""
_ACCOUNTS = """
    SELECT account, sum(amount_fen)::bigint FROM payments_ledger_entry
    WHERE account > %(after)s AND (%(kind)s = '' OR split_part(account, ':', 1) = %(kind)s)
    GROUP BY account ORDER BY account LIMIT %(limit)s
"""
_LINES = """
    SELECT id, movement, amount_fen, payment_id, matter, entered_at FROM payments_ledger_entry
    WHERE account = %(account)s AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s
"""
_NEWEST = 2**63 - 1


def clearing(channel: str) -> str:
    return f"clearing:{channel}"


def bank(payee: str) -> str:
    return f"bank:{payee}"


def fee(channel: str) -> str:
    return f"fee:{channel}"


def payee(department_id: str) -> str:
    return f"payee:{department_id}"


def citizen(person_id: str) -> str:
    return f"citizen:{person_id}"


def promised_back(channel: str) -> str:
    return f"refund:{channel}"


def difference(channel: str) -> str:
    return f"difference:{channel}"


def enter_receipt(u: Unit, payment: Payment) -> None:
    """The payer's money came and belongs to the department. It is sent with the unit's last statement."""
    values = {
        "l_movement": f"{payment.id}:received", "l_debit": clearing(payment.channel),
        "l_credit": payee(payment.payee), "l_fen": payment.amount_fen, "l_payment": payment.id,
        "l_matter": payment.matter, "l_at": clock.now(),
    }  # fmt: skip
    u.at_the_end(_ENTER_RECEIPT, values)


def enter_surplus(u: Unit, payment: Payment) -> None:
    """Money came that is the payer's own: late, twice, or another amount (`received_fen` tells which)."""
    came = payment.amount_fen if payment.received_fen is None else payment.received_fen
    sides = {clearing(payment.channel): came, citizen(payment.person_id): -came}
    _enter(u, f"{payment.id}:surplus", sides, payment.matter, payment.id)


def enter_correction(u: Unit, payment: Payment, was_fen: int, is_fen: int) -> None:
    """The channel takes back what it said came as the payer's own: it was `was_fen`, and is `is_fen`."""
    sides = {clearing(payment.channel): is_fen - was_fen, citizen(payment.person_id): was_fen - is_fen}
    _enter(u, f"{payment.id}:corrected", sides, payment.matter, payment.id)


def enter_promise(u: Unit, payment: Payment, refund: Refund) -> None:
    """Money is promised back: the department's, or the payer's own where nobody ever owed it."""
    _promise(u, payment, refund, "promised")


def enter_promise_again(u: Unit, payment: Payment, refund: Refund) -> None:
    """A refund had failed, and the channel gave the money back after all: promised once more, to be kept at once."""
    _promise(u, payment, refund, "promised_again")


def enter_return(u: Unit, payment: Payment, refund: Refund) -> None:
    """The promise is kept: by the channel, or by the treasury out of what it was paid."""
    source = bank(payment.payee) if refund.way == TREASURY else clearing(payment.channel)
    sides = {promised_back(payment.channel): refund.amount_fen, source: -refund.amount_fen}
    _enter(u, f"{refund.id}:returned", sides, payment.matter, payment.id)


def enter_failure(u: Unit, payment: Payment, refund: Refund) -> None:
    """It could not be given back: the money is again whose it was before the promise."""
    sides = {promised_back(payment.channel): refund.amount_fen, _giver(payment, refund): -refund.amount_fen}
    _enter(u, f"{refund.id}:failed", sides, payment.matter, payment.id)


def enter_settlement(
    u: Unit, *, settlement_id: str, channel: str, department_id: str, net_fen: int, fee_fen: int
) -> None:
    """The channel pays a day out: `net_fen` to the department's bank, `fee_fen` it keeps.

    A day on which more went back than came has a negative net.
    """
    sides = {bank(department_id): net_fen, fee(channel): fee_fen, clearing(channel): -net_fen - fee_fen}
    _enter(u, f"{settlement_id}:settled", sides, settlement_id)


def enter_difference(
    u: Unit, *, difference_id: str, channel: str, amount_fen: int, payment_id: str | None = None
) -> None:
    """The channel says it holds `amount_fen` more (or less, negative) than we know of: kept until explained."""
    sides = {clearing(channel): amount_fen, difference(channel): -amount_fen}
    _enter(u, f"{difference_id}:booked", sides, difference_id, payment_id)


def enter_explanation(
    u: Unit, *, difference_id: str, channel: str, account: str, amount_fen: int, payment_id: str | None = None
) -> None:
    """A booked difference is explained: `amount_fen` of it belongs to `account` (fee or clearing)."""
    sides = {difference(channel): amount_fen, account: -amount_fen}
    _enter(u, f"{difference_id}:explained", sides, difference_id, payment_id)


def enter_payees_difference(
    u: Unit, *, difference_id: str, channel: str, department_id: str, amount_fen: int, fee_fen: int
) -> None:
    """A booked difference was a department's money: it is earned, and paid out less what the channel keeps."""
    sides = {
        difference(channel): amount_fen, payee(department_id): -amount_fen,
        bank(department_id): amount_fen - fee_fen, fee(channel): fee_fen, clearing(channel): -amount_fen,
    }  # fmt: skip
    _enter(u, f"{difference_id}:explained", sides, difference_id)


def balances(u: Unit) -> dict[str, int]:
    """Fen per account, debit positive."""
    return {str(account): int(total) for account, total in u.execute(_BALANCES)}


def balance_of(u: Unit, account: str, *, before: datetime | None = None) -> int:
    """Fen on one account, debit positive; of what was entered `before` a moment, when one is given."""
    row = u.execute(_BALANCE, {"account": account, "before": before}).fetchone()
    return int(row[0]) if row else 0


def accounts_of(u: Unit, *, kind: str = "", after: str = "", limit: int = 50) -> list[AccountBalance]:
    """Accounts (of one kind, such as "payee") with their balances, in the order of their names."""
    asked = {"kind": kind, "after": after, "limit": limit}
    return [AccountBalance(str(account), int(total)) for account, total in u.execute(_ACCOUNTS, asked)]


def lines_of(u: Unit, account: str, *, before: int | None = None, limit: int = 50) -> list[LedgerLine]:
    """A statement of an account, newest first; `before` is the id of the last line shown."""
    asked = {"account": account, "before": _NEWEST if before is None else before, "limit": limit}
    return [LedgerLine(*row) for row in u.execute(_LINES, asked)]


def _promise(u: Unit, payment: Payment, refund: Refund, verb: str) -> None:
    sides = {_giver(payment, refund): refund.amount_fen, promised_back(payment.channel): -refund.amount_fen}
    _enter(u, f"{refund.id}:{verb}", sides, payment.matter, payment.id)


def _giver(payment: Payment, refund: Refund) -> str:
    """Whose account a refund is taken from."""
    return citizen(payment.person_id) if refund.owed else payee(payment.payee)


def _enter(
    u: Unit, movement: str, sides: Mapping[str, int], matter: str, payment_id: str | None = None
) -> None:
    """All sides at once, those of nothing left out; what has no side at all is no movement."""
    real = {account: fen for account, fen in sides.items() if fen}
    if not real:
        return
    values = {
        "movement": movement, "payment": payment_id, "matter": matter, "at": clock.now(),
        "accounts": list(real), "fens": list(real.values()),
    }  # fmt: skip
    u.flush_rows()  # the entries name rows that the ORM may still hold back
    u.execute(_ENTER, values)
