"""The double-entry ledger: every movement of money is a set of entries that adds up to nothing.

    clearing:<channel>   what a channel has received for us and not given back      (debit)
    payee:<department>   what a department has earned                               (credit)
    refund:<channel>     what is promised back to payers and not yet on its way     (credit)

Balances are sums of entries, never numbers kept beside them. One movement can be entered once only: the unique
index on (movement, account) says so even to a bug.
"""

from collections.abc import Mapping

from sqlalchemy import func, select

from backend.kernel import clock
from backend.store.unit import Unit
from payments.models import LedgerEntry, Payment, Refund


def clearing(payment: Payment) -> str:
    return f"clearing:{payment.channel}"


def payee(payment: Payment) -> str:
    return f"payee:{payment.payee}"


def promised_back(payment: Payment) -> str:
    return f"refund:{payment.channel}"


def enter_receipt(u: Unit, payment: Payment) -> None:
    """The payer's money came and belongs to the department."""
    _enter(u, payment, f"{payment.id}:received", clearing(payment), payee(payment), payment.amount_fen)


def enter_surplus(u: Unit, payment: Payment) -> None:
    """The payer's money came and belongs to the payer."""
    _enter(u, payment, f"{payment.id}:surplus", clearing(payment), promised_back(payment), payment.amount_fen)


def enter_promise(u: Unit, payment: Payment, refund: Refund) -> None:
    """The department's money is promised back to the payer."""
    _enter(u, payment, f"{refund.id}:promised", payee(payment), promised_back(payment), refund.amount_fen)


def enter_return(u: Unit, payment: Payment, refund: Refund) -> None:
    """The promise is kept: the channel has given the money back."""
    _enter(u, payment, f"{refund.id}:returned", promised_back(payment), clearing(payment), refund.amount_fen)


def enter_failure(u: Unit, payment: Payment, refund: Refund) -> None:
    """The channel could not give it back: the money is the department's again."""
    _enter(u, payment, f"{refund.id}:failed", promised_back(payment), payee(payment), refund.amount_fen)


def balances(u: Unit) -> dict[str, int]:
    """Fen per account, debit positive."""
    summed = select(LedgerEntry.account, func.sum(LedgerEntry.amount_fen)).group_by(LedgerEntry.account)
    return {account: int(total) for account, total in u.session.execute(summed)}


def _enter(u: Unit, payment: Payment, movement: str, debit: str, credit: str, amount_fen: int) -> None:
    sides: Mapping[str, int] = {debit: amount_fen, credit: -amount_fen}
    for account, side in sides.items():
        u.add(
            LedgerEntry(
                movement=movement,
                account=account,
                amount_fen=side,
                payment_id=payment.id,
                matter=payment.matter,
                entered_at=clock.now(),
            )
        )
