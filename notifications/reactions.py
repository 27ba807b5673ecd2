"""What the bureau tells people when something happens in other houses. Ears only queue; nothing is sent here."""

from collections.abc import Mapping

from backend.contracts import (
    BlockDecided,
    BookingBlocked,
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingDisplaced,
    BookingEvent,
    BookingLapsed,
    BookingMissed,
    BookingMoved,
    BookingReminderDue,
    BookingRestored,
    CaseAccepted,
    CaseDecided,
    CaseEvent,
    CaseFinished,
    CaseNotAccepted,
    CorrectionLapsed,
    CorrectionRequested,
    DrawDelayed,
    EntryDrawn,
    Event,
    FeeDemanded,
    ParcelChecked,
    ParcelCollected,
    ParcelDelivered,
    ParcelEvent,
    ParcelOrdered,
    ParcelTroubled,
    PlaceOffered,
    PreReviewPassed,
    WaitEnded,
)
from backend.kernel import clock, money
from backend.runtime.facts import facts_of
from backend.store.outbox import Ear
from backend.store.unit import Unit
from notifications.gathering import moment, standing_reminder, words_of_thing
from notifications.kinds import reminder_kind
from notifications.money_reactions import EARS as MONEY_EARS
from notifications.news import tell_of_booking, tell_of_matter
from notifications.telling import News, tell
from notifications.withdrawing import hold_still, withdraw_overtaken

_BY_POST = frozenset({"courier", "rider"})
_BY_DRAW = "draw"


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
    """What was won in a draw is told with the draw."""
    words = words_of_thing(u, event.matter, event.booking_id)
    if words.get("origin") != _BY_DRAW:
        tell_of_booking(u, "booking_confirmed", event, words)


def on_booking_cancelled(u: Unit, event: BookingCancelled) -> None:
    """A hold given back is no news: its citizen has just done it, or has let it go. Nor is what was over anyway.

    What we ended because its time was closed, or because an urgent reason was not good enough, is told also afterwards.
    """
    words = words_of_thing(u, event.matter, event.booking_id)
    if "closed_over" in words:
        tell_of_booking(u, "booking_closed_over", event, words)
        return
    end = moment(words, "not_after")
    if "never_sure" not in words and (end is None or clock.now() < end):
        kind = "booking_called_off" if "cancelled_why" in words else "booking_cancelled"
        tell_of_booking(u, kind, event, words)


def on_booking_moved(u: Unit, event: BookingMoved) -> None:
    """Each move is told; of several before we heard of the first, the last one."""
    words = words_of_thing(u, event.matter, event.booking_id)
    tell_of_booking(u, "booking_moved", event, words, words.get("moves", ""))


def on_booking_displaced(u: Unit, event: BookingDisplaced) -> None:
    """As it stands now: who has moved or cancelled meanwhile needs no telling, what was held may have run out."""
    words = words_of_thing(u, event.matter, event.booking_id)
    if "closed" not in words:
        return
    kind = "booking_displaced" if "new_when" in words else "booking_displaced_none"
    which = " ".join(words.get(name, "") for name in ("closed", "moves", "when", "move_not_after"))
    until = "move_not_after" if "new_when" in words else "not_after"
    tell_of_booking(u, kind, event, words, which, until)


def on_booking_restored(u: Unit, event: BookingRestored) -> None:
    """As it stands now: who has left that time meanwhile, or whose time was closed again, need not come to it."""
    words = words_of_thing(u, event.matter, event.booking_id)
    if "restored" in words:
        tell_of_booking(u, "booking_restored", event, words, words["restored"])


def on_booking_missed(u: Unit, event: BookingMissed) -> None:
    """A word before it is too late: a few more, and the person may not book. Not for those who came and left."""
    words = words_of_thing(u, event.matter, event.booking_id)
    if "missed" in words:
        tell_of_booking(u, "booking_missed", event, words, until="")


def on_booking_reminder_due(u: Unit, event: BookingReminderDue) -> None:
    """Only while it stands: `hold_still` comes first, so that a change we do not see yet finds what we queue."""
    hold_still(u, event.booking_id)
    words = words_of_thing(u, event.matter, event.booking_id)
    standing = standing_reminder(event.reminder, event.booking_id, words)
    if standing is not None and clock.now() < standing[1]:
        kind, (fact, end) = reminder_kind(event.reminder).name, standing
        tell(u, News(kind, fact, event.person_id, event.matter, event.booking_id, words, end))


def on_appointment_changed(u: Unit, event: BookingEvent) -> None:
    """Cancelled, moved, displaced, restored or come to: what is not yet out and no longer so is taken back."""
    withdraw_overtaken(u, event.matter, event.booking_id)


def on_place_offered(u: Unit, event: PlaceOffered) -> None:
    """The held booking is the offer: when it runs out, so does this."""
    words = words_of_thing(u, event.matter, event.booking_id)
    if "held_until" in words:
        tell_of_booking(u, "place_offered", event, words)


def on_booking_lapsed(u: Unit, event: BookingLapsed) -> None:
    """An offer nobody answered: its person waits on, and should know. A hold of their own they let go themselves."""
    words = words_of_thing(u, event.matter, event.booking_id)
    if "offers_left" in words:
        tell_of_booking(u, "offer_lapsed", event, words)


def on_wait_ended(u: Unit, event: WaitEnded) -> None:
    tell_of_matter(u, "wait_ended", event.person_id, event.matter, event.matter, event.matter)


def on_entry_drawn(u: Unit, event: EntryDrawn) -> None:
    """A winner's words are those of the appointment; whoever has none hears why. Nobody hears of a delay any more."""
    withdraw_overtaken(u, event.matter, event.matter)
    subject = event.booking_id or event.matter
    words = words_of_thing(u, event.matter, subject)
    kind = "draw_won" if event.won else _without_a_place(words)
    end = moment(words, "not_after") if event.won else None
    tell(u, News(kind, event.matter, event.person_id, event.matter, subject, words, end))


def on_draw_delayed(u: Unit, event: DrawDelayed) -> None:
    """As it stands now: a draw that was set off meanwhile, or an entry that left, waits no more."""
    hold_still(u, event.matter)
    words = words_of_thing(u, event.matter, event.matter)
    if "delayed" in words:
        fact = f"{event.matter} {words['delayed']}"
        tell(u, News("draw_delayed", fact, event.person_id, event.matter, event.matter, words))


def on_booking_blocked(u: Unit, event: BookingBlocked) -> None:
    tell_of_matter(u, "booking_blocked", event.person_id, event.matter, event.matter, event.matter)


def on_block_decided(u: Unit, event: BlockDecided) -> None:
    kind = "block_lifted" if event.lifted else "block_upheld"
    tell_of_matter(u, kind, event.person_id, event.matter, event.matter, event.matter)


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
    BookingCancelled: (on_booking_cancelled, on_appointment_changed),
    BookingMoved: (on_booking_moved, on_appointment_changed),
    BookingDisplaced: (on_booking_displaced, on_appointment_changed),
    BookingRestored: (on_booking_restored, on_appointment_changed),
    BookingCheckedIn: (on_appointment_changed,),
    BookingLapsed: (on_booking_lapsed,),
    BookingMissed: (on_booking_missed,),
    BookingReminderDue: (on_booking_reminder_due,),
    PlaceOffered: (on_place_offered,),
    WaitEnded: (on_wait_ended,),
    DrawDelayed: (on_draw_delayed,),
    EntryDrawn: (on_entry_drawn,),
    BookingBlocked: (on_booking_blocked,),
    BlockDecided: (on_block_decided,),
    **MONEY_EARS,
    ParcelOrdered: (on_parcel_ordered,),
    ParcelCollected: (on_parcel_collected,),
    ParcelDelivered: (on_parcel_delivered,),
    ParcelTroubled: (on_parcel_troubled,),
    ParcelChecked: (on_parcel_checked,),
}


def _without_a_place(words: Mapping[str, str]) -> str:
    if "called_off" in words:
        return "draw_called_off"
    return "draw_passed_over" if "why" in words else "draw_lost"


def _tell_case(
    u: Unit, kind: str, event: CaseEvent, fact: str, more: Mapping[str, str] | None = None
) -> None:
    tell_of_matter(u, kind, event.person_id, event.matter, event.matter, fact, more)


def _tell_parcel(u: Unit, kind: str, event: ParcelEvent, more: str = "") -> None:
    tell_of_matter(u, kind, event.person_id, event.matter, event.parcel_id, event.parcel_id + more)
