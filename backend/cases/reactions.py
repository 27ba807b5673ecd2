"""Ears of the house: news of payments, parcels and bookings about our cases. They tolerate repeats."""

from sqlalchemy import update

from backend.cases.dates import settle
from backend.cases.machine import CASE
from backend.cases.models import Case, Material, Upload
from backend.cases.services import desk, fees
from backend.contracts import (
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingMissed,
    CaseDelivered,
    ParcelCancelled,
    ParcelChecked,
    ParcelCollected,
    ParcelDelivered,
    ParcelEvent,
    ParcelOrdered,
    PaymentRefunded,
    PaymentSucceeded,
    PersonJoined,
)
from backend.store.unit import SYSTEM, Unit

_OURS = "cs-"
_BEFORE_ARRIVAL = ("awaited", "ordered", "travelling", "missing")


def on_payment_succeeded(u: Unit, event: PaymentSucceeded) -> None:
    """The fee of a case was paid."""
    if event.subject.startswith(fees.SUBJECT):
        fees.pay(u, event.subject.removeprefix(fees.SUBJECT), event.payment_id, event.amount_fen)


def on_payment_refunded(u: Unit, event: PaymentRefunded) -> None:
    """Money of a case's fee went back."""
    if event.subject.startswith(fees.SUBJECT):
        case_id = event.subject.removeprefix(fees.SUBJECT)
        fees.refunded(u, case_id, event.payment_id, event.refund_id, event.amount_fen)


def on_parcel_ordered(u: Unit, event: ParcelOrdered) -> None:
    """A pick-up of originals was ordered."""
    _originals(u, event.matter, event.direction, ("awaited", "missing"), "ordered")


def on_parcel_cancelled(u: Unit, event: ParcelCancelled) -> None:
    """The pick-up was cancelled: the originals are still with the citizen."""
    _originals(u, event.matter, event.direction, ("ordered",), "awaited")


def on_parcel_collected(u: Unit, event: ParcelCollected) -> None:
    """Inbound: the originals left the citizen's hands. Outbound: the result left the department's."""
    _originals(u, event.matter, event.direction, ("awaited", "ordered", "missing"), "travelling")
    if _carries_result(event):
        case = desk.locked(u, event.matter)
        case.result_sent = True
        settle(case)


def on_parcel_delivered(u: Unit, event: ParcelDelivered) -> None:
    """Inbound: the originals are at the department. Outbound: the result, not returned originals, ends the case."""
    _originals(u, event.matter, event.direction, _BEFORE_ARRIVAL, "arrived")
    if _carries_result(event):
        case = desk.locked(u, event.matter)
        if CASE.can(case.state, "delivered"):
            desk.move(u, case, "delivered", SYSTEM, CaseDelivered(case.id, case.person_id))


def on_parcel_checked(u: Unit, event: ParcelChecked) -> None:
    """The department compared the parcel with the material list."""
    state = "checked" if event.complete else "missing"
    case = _originals(u, event.matter, event.direction, (*_BEFORE_ARRIVAL, "arrived"), state)
    if case is not None and event.complete:
        by_mail = update(Material).where(Material.case_id == case.id, Material.mode == "mail")
        u.session.execute(by_mail.where(Material.state != "replaced").values(state="checked"))


def on_booking_confirmed(u: Unit, event: BookingConfirmed) -> None:
    """A visit is booked for the case."""
    _visit(u, event.matter, "booked")


def on_booking_cancelled(u: Unit, event: BookingCancelled) -> None:
    """The visit was cancelled."""
    _visit(u, event.matter, "none")


def on_booking_missed(u: Unit, event: BookingMissed) -> None:
    """Nobody came."""
    _visit(u, event.matter, "none")


def on_booking_checked_in(u: Unit, event: BookingCheckedIn) -> None:
    """The citizen is at the window."""
    _visit(u, event.matter, "arrived")


def on_person_joined(u: Unit, event: PersonJoined) -> None:
    """A login turned out to be somebody's second: the files it sent are theirs. It had no cases."""
    mine = update(Upload).where(Upload.owner_id == event.joined_id)
    u.session.execute(mine.values(owner_id=event.person_id))


def _carries_result(event: ParcelEvent) -> bool:
    return event.purpose == "result" and event.direction == "outbound" and event.matter.startswith(_OURS)


def _visit(u: Unit, matter: str, visit: str) -> None:
    if matter.startswith(_OURS):
        desk.locked(u, matter).visit = visit


def _originals(u: Unit, matter: str, direction: str, before: tuple[str, ...], now: str) -> Case | None:
    """Move the originals of a case on; None when the news is not about them or comes too late."""
    if direction != "inbound" or not matter.startswith(_OURS):
        return None
    case = desk.locked(u, matter)
    if case.originals not in before:
        return None
    desk.put_originals(u, case, now)
    return case
