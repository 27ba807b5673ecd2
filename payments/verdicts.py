"""Authentic news that we cannot use: kept with its reason, and told to staff when money is behind it."""

from backend.contracts import MoneyUnexplained, Notice
from backend.store.unit import Unit
from payments.models import Payment
from payments.subjects import provider_actor


def set_aside(u: Unit, notice: Notice, verdict: str, why: str, payment: Payment | None = None) -> None:
    """Keep the notice with a verdict ("unknown", "mismatch", "impossible") and raise an alarm to staff."""
    notice_id = u.verdict(notice, verdict, why)
    matter, payment_id = notice_id, ""
    if payment is not None:
        matter, payment_id = payment.matter, payment.id
        facts = {"notice": notice_id, "verdict": verdict}
        u.note(matter, payment_id, "money_unexplained", by=provider_actor(notice.provider), facts=facts)
    u.record(MoneyUnexplained(matter, payment_id, notice_id))


def repeated(u: Unit, notice: Notice, why: str) -> None:
    """The same fact in another envelope: nothing to do, nobody to alarm."""
    u.verdict(notice, "duplicate", why)
