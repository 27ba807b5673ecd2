"""What the bureau tells people when something happens in other houses. Ears only queue; nothing is sent here."""

from collections.abc import Mapping
from datetime import datetime

from backend.contracts import (
    BookingCancelled,
    BookingConfirmed,
    BookingEvent,
    CaseAccepted,
    CaseDecided,
    CaseEvent,
    CaseFinished,
    CaseNotAccepted,
    CorrectionLapsed,
    CorrectionRequested,
    Event,
    FeeDemanded,
    ParcelChecked,
    ParcelCollected,
    ParcelDelivered,
    ParcelEvent,
    ParcelOrdered,
    ParcelTroubled,
    PaymentEvent,
    PaymentRefunded,
    PaymentSucceeded,
    PreReviewPassed,
)
from backend.kernel import clock, money
from backend.runtime.facts import facts_of
from backend.store.outbox import Ear
from backend.store.unit import Unit
from notifications.telling import News, tell

_BY_POST = frozenset({"courier", "rider"})


def on_correction_requested(u: Unit, event: CorrectionRequested) -> None:
    _tell_case(u, "correction_requested", event, event.correction_id)


def on_correction_lapsed(u: Unit, event: CorrectionLapsed) -> None:
    """A reopened case may lapse again: once a day is once for each."""
    _tell_case(u, "correction_lapsed", event, f"{event.matter} {clock.today()}")


def on_pre_review_passed(u: Unit, event: PreReviewPassed) -> None:
    """With a link to the booking of a visit (CY-05)."""
    _tell_case(u, "pre_review_passed", event, event.matter)


def on_case_accepted(u: Unit, event: CaseAccepted) -> None:
    _tell_case(u, "case_accepted", event, event.matter)


def on_case_not_accepted(u: Unit, event: CaseNotAccepted) -> None:
    _tell_case(u, "case_not_accepted", event, event.matter)


def on_fee_demanded(u: Unit, event: FeeDemanded) -> None:
    amount = {"amount": money.yuan(event.amount_fen)}
    _tell_case(u, "fee_demanded", event, f"{event.matter} {event.amount_fen}", amount)


def on_case_decided(u: Unit, event: CaseDecided) -> None:
    """Only that there is a result: what it is must not show on a locked screen."""
    _tell_case(u, "case_decided", event, event.matter)


def on_case_finished(u: Unit, event: CaseFinished) -> None:
    online = event.delivery == "e_licence"
    other = "case_finished_sent" if event.delivery in _BY_POST else "case_finished_window"
    _tell_case(u, "case_finished_online" if online else other, event, event.matter)


def on_booking_confirmed(u: Unit, event: BookingConfirmed) -> None:
    _tell_booking(u, "booking_confirmed", event)


def on_booking_cancelled(u: Unit, event: BookingCancelled) -> None:
    _tell_booking(u, "booking_cancelled", event)


def on_payment_succeeded(u: Unit, event: PaymentSucceeded) -> None:
    _tell_payment(u, "payment_succeeded", event, event.payment_id)


def on_payment_refunded(u: Unit, event: PaymentRefunded) -> None:
    _tell_payment(u, "payment_refunded", event, event.refund_id or event.payment_id)


def on_parcel_ordered(u: Unit, event: ParcelOrdered) -> None:
    if event.direction == "inbound":
        _tell_parcel(u, "pickup_ordered", event)


def on_parcel_collected(u: Unit, event: ParcelCollected) -> None:
    """Outbound with a hand-over code: say that it will be asked for. The code itself is shown in the app only."""
    if event.direction == "inbound":
        _tell_parcel(u, "materials_collected", event)
    else:
        coded = facts_of(u, event.parcel_id).get("code_link")
        _tell_parcel(u, "parcel_sent_code" if coded else "parcel_sent", event)


def on_parcel_delivered(u: Unit, event: ParcelDelivered) -> None:
    _tell_parcel(u, "materials_received" if event.direction == "inbound" else "parcel_delivered", event)


def on_parcel_troubled(u: Unit, event: ParcelTroubled) -> None:
    """Trouble may come more than once; people hear of it at most once a day."""
    _tell_parcel(u, "parcel_troubled", event, f" {clock.today()}")


def on_parcel_checked(u: Unit, event: ParcelChecked) -> None:
    if not event.complete:
        _tell_parcel(u, "materials_incomplete", event)


SUBSCRIPTIONS: dict[type[Event], tuple[Ear, ...]] = {
    CorrectionRequested: (on_correction_requested,),
    CorrectionLapsed: (on_correction_lapsed,),
    PreReviewPassed: (on_pre_review_passed,),
    CaseAccepted: (on_case_accepted,),
    CaseNotAccepted: (on_case_not_accepted,),
    FeeDemanded: (on_fee_demanded,),
    CaseDecided: (on_case_decided,),
    CaseFinished: (on_case_finished,),
    BookingConfirmed: (on_booking_confirmed,),
    BookingCancelled: (on_booking_cancelled,),
    PaymentSucceeded: (on_payment_succeeded,),
    PaymentRefunded: (on_payment_refunded,),
    ParcelOrdered: (on_parcel_ordered,),
    ParcelCollected: (on_parcel_collected,),
    ParcelDelivered: (on_parcel_delivered,),
    ParcelTroubled: (on_parcel_troubled,),
    ParcelChecked: (on_parcel_checked,),
}


def _tell_case(
    u: Unit, kind: str, event: CaseEvent, fact: str, more: Mapping[str, str] | None = None
) -> None:
    _tell(u, kind, event.person_id, event.matter, event.matter, fact, more)


def _tell_booking(u: Unit, kind: str, event: BookingEvent) -> None:
    _tell(u, kind, event.person_id, event.matter, event.booking_id, event.booking_id)


def _tell_payment(u: Unit, kind: str, event: PaymentEvent, fact: str) -> None:
    amount = {"amount": money.yuan(event.amount_fen)}
    _tell(u, kind, event.person_id, event.matter, event.payment_id, fact, amount)


def _tell_parcel(u: Unit, kind: str, event: ParcelEvent, more: str = "") -> None:
    _tell(u, kind, event.person_id, event.matter, event.parcel_id, event.parcel_id + more)


def _tell(
    u: Unit, kind: str, person_id: str, about: str, subject: str, fact: str,
    more: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Gather the words of the matter and of the thing itself; the citizen knows the matter by its number."""
    matter, thing = facts_of(u, about), facts_of(u, subject)
    values = {**matter, **thing, **(more or {})}
    values["number"] = matter.get("number") or thing.get("number", "")
    values["item"] = matter.get("item") or thing.get("item") or thing.get("item_name", "")
    limit = thing.get("not_after") or matter.get("not_after")
    end = datetime.fromisoformat(limit) if limit else None
    tell(u, News(kind, fact, person_id, about, subject, values, end))
