"""The town plan on one page: which windows are open, who hears which event, which chores are done.

`app` is the WSGI application, `celery_app` the worker's. Everything else is found from here.
"""

from celery import Celery
from flask import Flask

import courier.api
import miniprogram_api
import notifications
import payments
from backend import booking, cases, cli, department, people
from backend import contracts as c
from backend.booking import tasks as booking_chores
from backend.booking.machine import BLOCK, BOOKING, ENTRY, RELEASE, TICKET, WAIT
from backend.booking.releases import tasks as release_chores
from backend.cases import tasks as cases_chores
from backend.cases.machine import CASE
from backend.catalogue.machine import VERSION
from backend.people import tasks as people_chores
from backend.people.machine import PERSON, RIDER, STAFF, SYSTEM_KEY
from backend.runtime import audience, boot, facts, housekeeping, relay, web, worker
from backend.runtime.settings import Settings, settings
from backend.store import outbox
from courier import tasks as courier_chores
from courier.machine import PARCEL
from notifications import money_reactions as told_of_money
from notifications import reactions as told
from notifications import tasks as notifications_chores
from notifications.machine import MESSAGE
from payments import reactions as paid
from payments import tasks as payments_chores
from payments.machine import BILL, PAYMENT, REFUND
from payments.receipts import tasks as receipt_chores
from payments.receipts.machine import RECEIPT
from payments.reconciliation import tasks as statement_chores
from payments.reconciliation.machine import DIFFERENCE, STATEMENT

SURFACES = (
    miniprogram_api.SURFACE,
    miniprogram_api.RECEIPTS,
    courier.api.SURFACE,
    department.SURFACE,
    department.SCREEN,
)

CALLBACKS = (
    payments.callbacks_blueprint,
    courier.callbacks_blueprint,
    notifications.callbacks_blueprint,
)

# audience -> who recognises it, with which refusals; and how where the session is looked at in the work's own unit.
AUDIENCES = (
    ("citizen", people.citizen, people.TOKEN_PROBLEMS, people.citizen_folded, people.folded.SESSION),
    ("courier", people.courier, people.TOKEN_PROBLEMS, None, None),
    ("staff", people.staff_only, people.TOKEN_PROBLEMS, None, None),
    ("department", people.staff_or_system, people.TOKEN_PROBLEMS + people.SIGNATURE_PROBLEMS, None, None),
)

# event -> ears. An event that nobody hears is archival: it is kept in the outbox and read by people.
SUBSCRIPTIONS: dict[type[c.Event], tuple[outbox.Ear, ...]] = {
    c.CorrectionRequested: (told.on_correction_requested,),
    c.CorrectionLapsed: (told.on_correction_lapsed, courier.on_correction_lapsed, booking.on_case_closed),
    c.PreReviewPassed: (told.on_pre_review_passed,),
    c.CaseAccepted: (told.on_case_accepted,),
    c.CaseNotAccepted: (told.on_case_not_accepted, courier.on_case_not_accepted, booking.on_case_closed),
    c.CaseWithdrawn: (courier.on_case_withdrawn, booking.on_case_closed, paid.on_case_withdrawn),
    c.FeeDemanded: (told.on_fee_demanded,),
    c.FeeNotWanted: (paid.on_fee_not_wanted,),
    c.CaseDecided: (told.on_case_decided, courier.on_case_decided),
    c.CaseFinished: (told.on_case_finished, courier.on_case_finished),
    c.BookingConfirmed: (told.on_booking_confirmed, cases.on_booking_confirmed, booking.on_booking_changed),
    c.BookingCancelled: (
        told.on_booking_cancelled,
        told.on_appointment_changed,
        cases.on_booking_cancelled,
        booking.on_booking_changed,
    ),
    c.BookingMoved: (told.on_booking_moved, told.on_appointment_changed, booking.on_booking_changed),
    c.BookingDisplaced: (told.on_booking_displaced, told.on_appointment_changed, booking.on_booking_changed),
    c.BookingRestored: (told.on_booking_restored, told.on_appointment_changed, booking.on_booking_changed),
    c.BookingReminderDue: (told.on_booking_reminder_due,),
    c.BookingLapsed: (told.on_booking_lapsed,),
    c.PlaceOffered: (told.on_place_offered,),
    c.WaitEnded: (told.on_wait_ended,),
    c.DrawDelayed: (told.on_draw_delayed,),
    c.EntryDrawn: (told.on_entry_drawn,),
    c.BookingBlocked: (told.on_booking_blocked,),
    c.BlockDecided: (told.on_block_decided,),
    c.BookingCheckedIn: (
        cases.on_booking_checked_in,
        told.on_appointment_changed,
        booking.on_booking_changed,
    ),
    c.BookingMissed: (told.on_booking_missed, cases.on_booking_missed),
    c.PersonJoined: (booking.on_person_joined, cases.on_person_joined),
    c.BillIssued: (told_of_money.on_bill_issued,),
    c.BillReminderDue: (told_of_money.on_bill_reminder_due,),
    c.BillWithdrawn: (told_of_money.on_bill_withdrawn,),
    c.PaymentSucceeded: (
        told_of_money.on_payment_succeeded,
        told_of_money.on_bill_paid,
        cases.on_payment_succeeded,
    ),
    c.PaymentRefunded: (told_of_money.on_payment_refunded, cases.on_payment_refunded),
    c.RefundApproved: (told_of_money.on_refund_approved,),
    c.RefundListed: (told_of_money.on_refund_listed,),
    c.RefundSubmitted: (told_of_money.on_refund_submitted,),
    c.RefundRefused: (told_of_money.on_refund_refused,),
    c.RefundFailed: (told_of_money.on_refund_failed,),
    c.SurplusComes: (told_of_money.on_surplus_comes,),
    c.ParcelOrdered: (told.on_parcel_ordered, cases.on_parcel_ordered),
    c.ParcelCollected: (told.on_parcel_collected, cases.on_parcel_collected),
    c.ParcelDelivered: (told.on_parcel_delivered, cases.on_parcel_delivered),
    c.ParcelTroubled: (told.on_parcel_troubled,),
    c.ParcelChecked: (told.on_parcel_checked, cases.on_parcel_checked),
    c.ParcelCancelled: (cases.on_parcel_cancelled,),
}
ARCHIVAL = frozenset(
    {
        c.PersonRegistered, c.ItemPublished, c.CaseSubmitted, c.CaseResubmitted, c.CaseReopened, c.CasePaused,
        c.CaseResumed, c.CaseExtended, c.CaseDelivered, c.BookingServed,
        c.PaymentClosed, c.MoneyUnexplained, c.MessageDead, c.DifferenceFound, c.ReceiptIssued, c.ReceiptVoided,
        c.RefundAsked,
    }
)  # fmt: skip

FACTS = {
    "cs": cases.facts_for,
    "bk": booking.facts_for,
    "wt": booking.wait_facts_for,
    "ey": booking.entry_facts_for,
    "bl": booking.block_facts_for,
    "pay": payments.facts_for,
    "rf": payments.facts_for,
    "bi": payments.bill_facts_for,
    "par": courier.facts_for,
}

CHORES = (
    booking_chores,
    release_chores,
    cases_chores,
    people_chores,
    payments_chores,
    receipt_chores,
    statement_chores,
    courier_chores,
    notifications_chores,
    relay,
    housekeeping,
)

MACHINES = (
    BILL, BLOCK, BOOKING, CASE, DIFFERENCE, ENTRY, MESSAGE, PARCEL, PAYMENT, PERSON, RECEIPT, REFUND, RELEASE, RIDER,
    STAFF, STATEMENT, SYSTEM_KEY, TICKET, VERSION, WAIT,
)  # fmt: skip


def create_app(wanted: Settings) -> Flask:
    """Wire the plan together: one call per line of it."""
    boot.open_process(wanted)
    for recognised in AUDIENCES:
        audience.recognise(*recognised)
    for prefix, teller in FACTS.items():
        facts.register(prefix, teller)
    outbox.subscribe(SUBSCRIPTIONS)
    people.use_code_sender(notifications.queue_code)
    booking.use_case_teller(cases.standing_of)
    people.use_export_part("cases", cases.export_of)
    people.use_export_part("messages", notifications.export_of)
    callbacks, town = [make() for make in CALLBACKS], wanted.town
    made = web.build(SURFACES, callbacks, mode=town.mode, ready=boot.is_fit, proxies=town.trusted_proxies)
    made.extensions["machines"] = MACHINES
    made.cli.add_command(cli.town())
    return made


def create_celery(wanted: Settings) -> Celery:
    """The worker's side; the chores enrolled themselves when their modules were imported."""
    return worker.build(wanted.town.broker_url, wanted.town.state_dir)


app = create_app(settings())
celery_app = create_celery(settings())
