"""Nouns of the payments bureau: payments, refunds, the ledger and receipts. Bills have their own room.

A payment's number is its id without the dash: providers allow letters and digits only, 32 of them at most.
`ask_next_at` is real time: questions to providers are paced by the world, not by our business clock.
"""

from datetime import datetime

from sqlalchemy import BigInteger as Big
from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel import ids
from backend.store.base import Base, FenColumn, Id, Ref

MINI, H5 = "mini", "h5"
CHANNEL, TREASURY = "channel", "treasury"
MAX_FEN = 100_000_000
"""One million yuan: above this a payment belongs on a bank's counter."""


def number_of(public_id: str) -> str:
    """Our number as providers see it."""
    return public_id.replace("-", "")


class Payment(Base):
    """One attempt of one payer to pay one subject over one channel, in an app (`product` mini) or a browser (h5).

    `owed_by`: whose debt it is when another pays it (代付): the receipt is theirs, money back goes to the payer.
    `unwanted`: its matter ended and no longer wants the money, so that all that is left of it goes back.
    `received_fen` is what came, which may be another sum than the one asked for; None while nothing has come.
    `settled_at`: the channel has paid it out to the payee (收支两条线): from then on giving back is the treasury's.
    `purse`: whose the payee's money was on that day, whatever the register says later.
    `region_code`: where the case belongs whose fee it pays; a bill names its own region.
    `asked` counts the sweep's questions to the channel, `asked_by_payer` those of the payer's page.
    """

    __tablename__ = "payments_payment"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint(f"amount_fen BETWEEN 1 AND {MAX_FEN}", name="amount"),
        CheckConstraint("received_fen > 0", name="received"),
        Index(
            "uq_payments_payment_live", "subject", "person_id", "channel", unique=True,
            postgresql_where=text("state IN ('created', 'awaiting')"),
        ),
        Index("uq_payments_payment_settles", "subject", unique=True, postgresql_where=text("settles")),
        Index("ix_payments_payment_subject", "subject"),
        Index("ix_payments_payment_person_id", "person_id", "id"),
        Index(
            "ix_payments_payment_ask_next_at", "ask_next_at",
            postgresql_where=text("state IN ('created', 'awaiting', 'closing')"),
        ),
        Index("ix_payments_payment_disputed", "ask_next_at", postgresql_where=text("state = 'disputed'")),
        # The payer shows the number that stands in the channel's own app.
        Index("ix_payments_payment_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
        # For reconciliation, which asks for whole days: next to nothing for the callbacks that write it.
        Index("ix_payments_payment_paid_at", "paid_at", postgresql_using="brin"),
    )  # fmt: skip

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(48))
    matter: Mapped[Ref]
    person_id: Mapped[Ref]
    owed_by: Mapped[str | None] = mapped_column(String(40))
    payee: Mapped[Ref]
    region_code: Mapped[str | None] = mapped_column(String(12))
    channel: Mapped[str] = mapped_column(String(20))
    product: Mapped[str] = mapped_column(String(8), default=MINI, server_default=MINI)
    title: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[FenColumn]
    received_fen: Mapped[int | None] = mapped_column(Big)
    settles: Mapped[bool] = mapped_column(default=False)
    unwanted: Mapped[bool] = mapped_column(default=False)
    ticket: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(String(64))
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    purse: Mapped[str | None] = mapped_column(String(8))
    asked: Mapped[int] = mapped_column(Integer, default=0)
    asked_by_payer: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    asked_at: Mapped[datetime | None]
    ask_next_at: Mapped[datetime]

    @classmethod
    def opened(cls, *, opened_at: datetime, expires_at: datetime, ask_next_at: datetime) -> "Payment":
        """A new row with its id and number."""
        public_id = ids.new_id("pay")
        return cls(
            id=public_id, number=number_of(public_id), settles=False, unwanted=False, asked=0,
            opened_at=opened_at, expires_at=expires_at, ask_next_at=ask_next_at,
        )  # fmt: skip


class Refund(Base):
    """One way back of money. `owed` tells that the payer never owed it: late money, or paid twice.

    It goes over the channel (`way` channel) until the channel has settled, and as 退付 over the finance office
    (`treasury`) afterwards. Above the threshold two people say yes: `approved_by` first, `confirmed_by` another.
    `withdraw_bill`: the bill it was paid for was wrong, so that it is not due again once all the money is back.
    `retry_of`: the failed refund that this one tries again. `superseded`: that one came back after all, so that this
    one is never tried again.
    """

    __tablename__ = "payments_refund"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        Index("ix_payments_refund_payment_id", "payment_id"),
        Index(
            "ix_payments_refund_under_way", "ask_next_at",
            postgresql_where=text("state IN ('requested', 'sent', 'stuck')"),
        ),
        Index("ix_payments_refund_returned_at", "returned_at", postgresql_using="brin"),
        Index("ix_payments_refund_retry_of", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
        Index(
            "ix_payments_refund_waiting", "state",
            postgresql_where=text("state IN ('asked', 'second', 'listed', 'submitted', 'stuck', 'failed')"),
        ),
    )  # fmt: skip

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(32), unique=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payments_payment.id"))
    state: Mapped[str] = mapped_column(String(20))
    matter: Mapped[Ref]
    amount_fen: Mapped[FenColumn]
    owed: Mapped[bool]
    way: Mapped[str] = mapped_column(String(8), default=CHANNEL, server_default=CHANNEL)
    retry_of: Mapped[str | None] = mapped_column(String(40))
    superseded: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    reason: Mapped[str] = mapped_column(String(80))
    asked_by: Mapped[str] = mapped_column(String(40), server_default="")
    approved_by: Mapped[str | None] = mapped_column(String(40))
    confirmed_by: Mapped[str | None] = mapped_column(String(40))
    withdraw_bill: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    decision: Mapped[str | None] = mapped_column(String(80))
    failure: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(String(64))
    requested_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(Integer, default=0)
    ask_next_at: Mapped[datetime]


class SetAside(Base):
    """Authentic news of a channel that could not be used, and who of the finance office has looked at it.

    `kind` tells why, `reference` is the channel's own number of the money, `payment_id` the payment of ours if any.
    """

    __tablename__ = "payments_set_aside"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        Index("ix_payments_set_aside_open", "id", postgresql_where=text("seen_at IS NULL")),
        Index("ix_payments_set_aside_payment_id", "payment_id"),
    )

    id: Mapped[Id]
    notice_id: Mapped[str] = mapped_column(String(40), unique=True)
    heard_at: Mapped[datetime]
    channel: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(30))
    number: Mapped[str] = mapped_column(String(80))
    reference: Mapped[str | None] = mapped_column(String(64))
    amount_fen: Mapped[int | None] = mapped_column(Big)
    payment_id: Mapped[str | None] = mapped_column(ForeignKey("payments_payment.id"))
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(80))


class LedgerEntry(Base):
    """One side of a movement; debit is positive, credit negative, and a movement's sides add up to nothing.

    Nobody updates or deletes an entry, the database sees to it: a mistake is put right by another movement.
    `tx` is the transaction that wrote it, so that the sealer knows which entries can no longer be preceded.
    """

    __tablename__ = "payments_ledger_entry"
    __retention__ = "10 years: accounting rules"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount"),
        Index("uq_payments_ledger_entry_movement", "movement", "account", unique=True),
        Index("ix_payments_ledger_entry_account", "account", "id"),
        Index("ix_payments_ledger_entry_payment_id", "payment_id"),
    )

    id: Mapped[int] = mapped_column(Big, Identity(always=True), primary_key=True)
    movement: Mapped[str] = mapped_column(String(60))
    account: Mapped[str] = mapped_column(String(80))
    amount_fen: Mapped[FenColumn]
    payment_id: Mapped[str | None] = mapped_column(ForeignKey("payments_payment.id"))
    matter: Mapped[Ref]
    entered_at: Mapped[datetime]
    tx: Mapped[int] = mapped_column(Big, server_default=text("(pg_current_xact_id()::text)::bigint"))


class LedgerSeal(Base):
    """One link of an account's chain: the entries `first_entry`…`last_entry` of it, and the link before."""

    __tablename__ = "payments_ledger_seal"
    __retention__ = "10 years: accounting rules"

    account: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    first_entry: Mapped[int] = mapped_column(Big)
    last_entry: Mapped[int] = mapped_column(Big)
    entries: Mapped[int] = mapped_column(Integer)
    sum_fen: Mapped[FenColumn]
    link: Mapped[bytes]
    sealed_at: Mapped[datetime]
