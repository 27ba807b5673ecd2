"""Makers of the payments tests: payments opened and heard of without any telephone."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text

import payments
from backend.contracts import Notice
from backend.kernel import clock, ids
from backend.runtime import callbacks
from backend.store import vault
from backend.store.inbox import NoticeRow
from backend.store.unit import Actor, run_unit
from payments import swift
from payments.bills.models import BANK_ACCOUNT, Payee
from payments.channels.port import OURS, REFERENCE

CLERK = Actor("staff", "st-test", "缴费窗口")
FINE_OF_100_YUAN = payments.BillDraft(
    notice_no="",
    kind="fine",
    executing_unit="测试交警支队",
    region_code="341602",
    department_id="BZ-TEST",
    item="机动车违反规定停放",
    principal_fen=10_000,
    overdue_fen=0,
    issued_on=clock.today(),
    factor="AB12CD",
    window_name="测试服务大厅 8 号窗口",
    window_address="测试路 1 号",
)


@dataclass
class Desk:
    """What a test of this house does all day."""

    person_id: str
    subject: str
    matter: str

    def open(self, channel: str = "wechat_pay", amount_fen: int = 8000, **other: Any) -> payments.PaymentView:
        words = {
            "subject": self.subject, "matter": self.matter, "person_id": self.person_id, "payee": "BZ-TEST",
            "amount_fen": amount_fen, "channel": channel, "title": "不动产登记费", "by": self.payer,
        }  # fmt: skip
        return run_unit(lambda u: payments.open_payment(u, **(words | other)))

    def awaiting(self, channel: str = "wechat_pay", amount_fen: int = 8000) -> payments.PaymentView:
        payment = self.open(channel, amount_fen)
        return run_unit(lambda u: payments.attach_ticket(u, payment.id, f"ticket-{payment.id}"))

    def paid(self, channel: str = "wechat_pay", amount_fen: int = 8000) -> payments.PaymentView:
        payment = self.awaiting(channel, amount_fen)
        hear(succeeded(payment))
        return self.look(payment)

    def look(self, payment: payments.PaymentView) -> payments.PaymentView:
        return run_unit(lambda u: payments.payment_of(u, payment.id))

    @property
    def payer(self) -> Actor:
        return Actor("citizen", self.person_id)


def succeeded(payment: payments.PaymentView, **changes: Any) -> Notice:
    """True news from the channel that a payment succeeded; `changes` twist it."""
    facts = {OURS: changes.pop("ours", True), REFERENCE: changes.pop("reference", f"tx-{payment.number}")}
    notice = Notice(
        provider=payment.channel, key=ids.new_id("ev"), subject=payment.number, trigger="succeeded",
        occurred_at=clock.now(), amount_fen=payment.amount_fen, facts=facts, raw=b"{}",
    )  # fmt: skip
    return replace(notice, **changes)


def closed(payment: payments.PaymentView) -> Notice:
    return replace(succeeded(payment), trigger="closed", amount_fen=None)


def returned(payment: payments.PaymentView, refund: payments.RefundView, **changes: Any) -> Notice:
    """True news from the channel that a refund succeeded."""
    changes = {"subject": refund.id.replace("-", ""), "amount_fen": refund.amount_fen} | changes
    return succeeded(payment, trigger=changes.pop("trigger", "refund_succeeded"), **changes)


def hear(notice: Notice) -> bool:
    """The one door for pushes and polls."""
    return callbacks.hear(payments.settle, notice, swift.questions)


def enter_payee(unit_code: str = "", department_id: str = "", purse: str = "treasury") -> str:
    """An executing unit in the register; returns its department."""
    department_id = department_id or f"BZ-{ids.digits(8)}"
    account = vault.seal(BANK_ACCOUNT, department_id, "6200111122223333")
    payee = Payee(
        department_id=department_id, unit_code=unit_code or f"U-{ids.digits(8)}", name="测试单位",
        region_code="341602", purse=purse, bank_name="测试银行", bank_account=account, active=True,
        changed_at=clock.now(),
    )  # fmt: skip
    run_unit(lambda u: u.add(payee))
    return department_id


def expire(payment: payments.PaymentView) -> None:
    clock.move_to(payment.expires_at + timedelta(seconds=1))


def verdict_of(notice) -> tuple[str, str]:
    def read(u):
        row = u.session.scalars(select(NoticeRow).where(NoticeRow.key == notice.key)).one()
        return row.verdict, row.why

    return run_unit(read)


def events_of(matter, kind) -> list[dict]:
    asked = text("SELECT payload FROM store_outbox WHERE stream = :m AND kind = :k ORDER BY id")
    return run_unit(lambda u: list(u.session.scalars(asked, {"m": matter, "k": kind})))
