"""What people hear about their money: paid, on its way back, back, or not."""

from datetime import date, timedelta

from backend.contracts import (
    BillIssued,
    BillReminderDue,
    BillWithdrawn,
    Event,
    PaymentEvent,
    PaymentRefunded,
    PaymentSucceeded,
    RefundApproved,
    RefundFailed,
    RefundListed,
    RefundRefused,
    RefundSubmitted,
    SurplusComes,
)
from backend.kernel import clock, money
from backend.runtime.facts import facts_of
from backend.store.outbox import Ear
from backend.store.unit import Unit
from notifications.gathering import words_of_thing
from notifications.news import tell_of_matter
from notifications.telling import News, tell
from notifications.withdrawing import hold_still, withdraw_overtaken

TREASURY = "treasury"


def on_bill_issued(u: Unit, event: BillIssued) -> None:
    """Whoever it names, if we know them; others find it by its number."""
    if event.person_id is not None:
        _tell_of_bill(u, "bill_issued", event.bill_id, event.person_id, "")


def on_bill_reminder_due(u: Unit, event: BillReminderDue) -> None:
    """Pointless after the last day that it speaks of."""
    penalty = event.reminder == "penalty"
    kind, last_day = ("bill_penalty", "last_free_day") if penalty else ("bill_due", "owed")
    _tell_of_bill(u, kind, event.bill_id, event.person_id, last_day)


def on_bill_withdrawn(u: Unit, event: BillWithdrawn) -> None:
    """What is not yet out must not ask for money that nobody owes."""
    withdraw_overtaken(u, event.bill_id, event.bill_id)


def on_bill_paid(u: Unit, event: PaymentSucceeded) -> None:
    """The same for what is paid."""
    if event.subject.startswith("bill:"):
        withdraw_overtaken(u, event.matter, event.matter)


def on_payment_succeeded(u: Unit, event: PaymentSucceeded) -> None:
    owed_by = facts_of(u, event.payment_id).get("owed_by")
    if owed_by:
        words = {"amount": money.yuan(event.amount_fen)}
        tell_of_matter(
            u, "payment_succeeded", owed_by, event.matter, event.payment_id, event.payment_id, words
        )
    _tell(u, "payment_for_other" if owed_by else "payment_succeeded", event, event.payment_id)


def on_payment_refunded(u: Unit, event: PaymentRefunded) -> None:
    """Over the channel it came back the way it went; the treasury pays it out."""
    by_treasury = facts_of(u, event.refund_id).get("way") == TREASURY if event.refund_id else False
    kind = "refund_paid_out" if by_treasury else "payment_refunded"
    _tell(u, kind, event, event.refund_id or event.payment_id)


def on_refund_approved(u: Unit, event: RefundApproved) -> None:
    _tell(u, "refund_approved", event, event.refund_id)


def on_refund_listed(u: Unit, event: RefundListed) -> None:
    """Approved as well, but it takes longer: the money is the treasury's."""
    _tell(u, "refund_listed", event, event.refund_id)


def on_refund_submitted(u: Unit, event: RefundSubmitted) -> None:
    _tell(u, "refund_submitted", event, event.refund_id)


def on_refund_refused(u: Unit, event: RefundRefused) -> None:
    """With the reason."""
    _tell(u, "refund_refused", event, event.refund_id)


def on_refund_failed(u: Unit, event: RefundFailed) -> None:
    _tell(u, "refund_failed", event, event.refund_id)


def on_surplus_comes(u: Unit, event: SurplusComes) -> None:
    """On its way back; or a strange sum that is held, once, while people find out what it is."""
    if event.refund_id:
        _tell(u, "surplus_comes", event, event.refund_id)
    else:
        _tell(u, "money_held", event, event.payment_id)


EARS: dict[type[Event], tuple[Ear, ...]] = {
    BillIssued: (on_bill_issued,),
    BillReminderDue: (on_bill_reminder_due,),
    BillWithdrawn: (on_bill_withdrawn,),
    PaymentSucceeded: (on_payment_succeeded, on_bill_paid),
    PaymentRefunded: (on_payment_refunded,),
    RefundApproved: (on_refund_approved,),
    RefundListed: (on_refund_listed,),
    RefundSubmitted: (on_refund_submitted,),
    RefundRefused: (on_refund_refused,),
    RefundFailed: (on_refund_failed,),
    SurplusComes: (on_surplus_comes,),
}


def _tell_of_bill(u: Unit, kind: str, bill_id: str, person_id: str, last_day: str) -> None:
    """As it stands now, and only while it is owed; `last_day` names the day after which it is too late to tell."""
    hold_still(u, bill_id)
    words = words_of_thing(u, bill_id, bill_id)
    if "owed" not in words:
        return
    end = None
    if last_day:
        end = clock.start_of_day(date.fromisoformat(words[last_day]) + timedelta(days=1))
    tell(u, News(kind, f"{bill_id} {words['owed']}", person_id, bill_id, bill_id, words, end))


def _tell(u: Unit, kind: str, event: PaymentEvent, fact: str) -> None:
    facts = facts_of(u, fact)
    words = {"amount": money.yuan(event.amount_fen)}
    if why := facts.get("why"):
        words["why"] = why
    # Who pays for somebody else (代付) hears of the payment, and nothing of the matter it was for.
    about = event.payment_id if facts.get("owed_by") else event.matter
    tell_of_matter(u, kind, event.person_id, about, event.payment_id, fact, words)
