"""What the bureau hears from other houses."""

from backend.contracts import CaseWithdrawn
from backend.store.unit import SYSTEM, Unit
from payments.subjects import close_live, subject_of_case


def on_case_withdrawn(u: Unit, event: CaseWithdrawn) -> None:
    """A withdrawn case asks for no money: whatever could still be paid for it is closed. Repeats do nothing."""
    close_live(u, subject_of_case(event.matter), SYSTEM)
