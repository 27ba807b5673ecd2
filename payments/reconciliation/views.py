"""What reconciliation shows: frozen pictures of statements, differences, settlements and bank credits."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class StatementView:
    """A channel's statement of a day; `trouble` says why it could not be used the last time it was fetched.

    `matched` lines agree with the ledger, or their difference has come to its end; none before it is compared.
    """

    id: str
    channel: str
    day: date
    state: str
    says: str
    trouble: str | None
    lines: int
    paid_fen: int
    returned_fen: int
    fee_fen: int
    matched: int
    differences: int
    unsolved: int
    fetched_at: datetime | None
    reconciled_at: datetime | None


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """A task of the finance office. Amounts are what the ledger and the channel say, None where one is silent."""

    id: str
    statement_id: str
    channel: str
    day: date
    kind: str
    kind_says: str
    number: str
    state: str
    says: str
    payment_id: str | None
    refund_id: str | None
    department_id: str | None
    ours_fen: int | None
    theirs_fen: int | None
    proposal: str
    decision: str | None
    reason: str | None
    decided_by: str | None
    confirmed_by: str | None
    decided_at: datetime | None
    explanation: str | None
    explained_to: str | None
    explained_by: str | None
    explanation_confirmed_by: str | None
    explained_at: datetime | None
    explained_department: str | None
    found_at: datetime


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """What became of one difference of a batch: its state, or the problem that stopped it, and either in words."""

    id: str
    state: str | None
    problem: str | None
    says: str


@dataclass(frozen=True, slots=True)
class StatementLineView:
    """One line as the channel tells it: `kind` paid or returned, `payment_number` what a return goes back to."""

    line: int
    kind: str
    number: str
    payment_number: str
    reference: str
    amount_fen: int
    fee_fen: int
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class SettlementView:
    """What a channel owes one payee for one day; `credit_id` once the bank has credited it."""

    id: str
    statement_id: str
    channel: str
    day: date
    payee: str
    payments: int
    paid_fen: int
    returned_fen: int
    fee_fen: int
    net_fen: int
    credit_id: str | None


@dataclass(frozen=True, slots=True)
class SettledLine:
    """One payment or refund (`kind` paid or returned) inside a settlement."""

    line: int
    kind: str
    number: str
    payment_id: str
    title: str
    reference: str
    amount_fen: int
    fee_fen: int
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class PayoutView:
    """A difference that was a payee's own money: what the channel pays out for it beside the settlements.

    `explanation` is what the finance office found; `credit_id` once the bank has credited it.
    """

    id: str
    channel: str
    day: date
    payee: str
    kind: str
    kind_says: str
    number: str
    amount_fen: int
    explanation: str
    credit_id: str | None


@dataclass(frozen=True, slots=True)
class CreditView:
    """A line of a payee's bank account, and what it pays: settlements, and differences that were the payee's money.

    Both are empty while nothing fits its amount.

    `withdrawn_at` and `withdrawal` (the reason) once it turned out to be wrong.
    """

    id: str
    payee: str
    channel: str
    reference: str
    credited_on: date
    amount_fen: int
    settlements: tuple[SettlementView, ...]
    differences: tuple[PayoutView, ...]
    withdrawn_at: datetime | None
    withdrawal: str | None


@dataclass(frozen=True, slots=True)
class CreditDraft:
    """What the bank's account statement says."""

    payee: str
    channel: str
    reference: str
    credited_on: date
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A statement that is to be fetched."""

    id: str
    channel: str
    day: date
