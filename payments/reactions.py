"""What the bureau hears from other houses."""

from backend.contracts import CaseWithdrawn, FeeNotWanted
from backend.store.unit import SYSTEM, Unit
from payments.problems import PaymentNotFound
from payments.refunds.refunds import return_unwanted
from payments.subjects import close_live, held_payment, subject_of_case


def on_case_withdrawn(u: Unit, event: CaseWithdrawn) -> None:
    """A withdrawn case asks for no money: whatever could still be paid for it is closed. Repeats do nothing."""
    close_live(u, subject_of_case(event.matter), SYSTEM)


def on_fee_not_wanted(u: Unit, event: FeeNotWanted) -> None:
    """All that is left of the payment goes back, once. Raises PaymentNotFound: then staff must look."""
    payment = held_payment(u, event.payment_id)
    if payment is None:
        raise PaymentNotFound
    if not payment.unwanted:
        payment.unwanted = True
        return_unwanted(u, payment, SYSTEM)
