"""What the courier bureau does when something happens to a case: results go out, originals go home.

Ears only write down; carriers are called by the chores that are woken afterwards.
"""

from backend.contracts import (
    CaseDecided,
    CaseEvent,
    CaseFinished,
    CaseNotAccepted,
    CaseWithdrawn,
    CorrectionLapsed,
)
from backend.runtime.worker import wake
from backend.store.unit import SYSTEM, Unit
from courier.machine import UNCOLLECTED
from courier.models import ParcelRow
from courier.services import rows
from courier.services.cancelling import SWEEP_ORDERS, wish_cancelled
from courier.services.sending import await_result, send_back

CASE_CLOSED = "case_closed"


def on_case_finished(u: Unit, event: CaseFinished) -> None:
    """A parcel for the result, as the citizen wants it delivered; packed and sent by the department."""
    await_result(u, event, SYSTEM)


def on_case_decided(u: Unit, event: CaseDecided) -> None:
    """Refused: the originals go home. Granted: they have served, and the department says what returns."""
    if not event.granted:
        _originals_go_home(u, event)


def on_case_not_accepted(u: Unit, event: CaseNotAccepted) -> None:
    """Nothing will be done with the originals: they go home."""
    _originals_go_home(u, event)


def on_case_withdrawn(u: Unit, event: CaseWithdrawn) -> None:
    """The citizen changed their mind: the originals go home."""
    _originals_go_home(u, event)


def on_correction_lapsed(u: Unit, event: CorrectionLapsed) -> None:
    """The case was closed unanswered: the originals go home."""
    _originals_go_home(u, event)


def _originals_go_home(u: Unit, event: CaseEvent) -> None:
    """Not fetched yet: the pick-up is called off. On the road: sent back once checked. Here: sent back now."""
    for row in rows.locked_parcels(u, event.matter, "inbound"):
        if row.state in UNCOLLECTED or (row.state == "troubled" and row.collected_at is None):
            _call_off(u, row)
        elif row.state == "checked":
            send_back(u, row, SYSTEM)
        else:
            row.send_back = True


def _call_off(u: Unit, row: ParcelRow) -> None:
    if wish_cancelled(u, row, CASE_CLOSED, SYSTEM) is not None:
        u.after_commit(lambda: wake(SWEEP_ORDERS))
