"""The bureau's desk: every verb as windows use it. Rows stay inside; what comes back is a view."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from backend.runtime.audience import Principal
from backend.store.unit import Actor, Unit, run_unit
from courier.models import ParcelRow
from courier.questions import parcel, task_of, view_of
from courier.services import cancelling, checking, handing, ordering, riding, sending
from courier.services.handing import handover_code
from courier.views import ParcelView, TaskView

__all__ = [
    "cancel_parcel",
    "check_parcel",
    "collect",
    "confirm_receipt",
    "fail_delivery",
    "hand_over",
    "hand_over_on_sight",
    "handover_code",
    "note_place",
    "pack_result",
    "place_order",
    "receive_parcel",
    "report_lost",
    "set_out",
    "take_task",
    "unlock_handover",
    "wish_pickup",
]

P = ParamSpec("P")
Verb = Callable[Concatenate[Unit, P], ParcelRow]


def _shown(verb: Verb[P]) -> Callable[Concatenate[Unit, P], ParcelView]:
    @functools.wraps(verb)
    def shown(u: Unit, /, *args: P.args, **kwargs: P.kwargs) -> ParcelView:
        return view_of(u, verb(u, *args, **kwargs))

    return shown


wish_pickup = _shown(sending.wish_pickup)
pack_result = _shown(sending.pack_result)
receive_parcel = _shown(checking.receive_parcel)
check_parcel = _shown(checking.check_parcel)
report_lost = _shown(checking.report_lost)
confirm_receipt = _shown(checking.confirm_receipt)
hand_over_on_sight = _shown(handing.hand_over_on_sight)
unlock_handover = _shown(handing.unlock_handover)

RiderVerb = Callable[Concatenate[Unit, Principal, P], ParcelRow]


def _as_task(verb: RiderVerb[P]) -> Callable[Concatenate[Unit, Principal, P], TaskView]:
    """A rider sees no more than the task."""

    @functools.wraps(verb)
    def shown(u: Unit, rider: Principal, /, *args: P.args, **kwargs: P.kwargs) -> TaskView:
        return task_of(u, verb(u, rider, *args, **kwargs), rider)

    return shown


take_task = _as_task(riding.take_task)
collect = _as_task(riding.collect)
set_out = _as_task(riding.set_out)
fail_delivery = _as_task(riding.fail_delivery)
note_place = _as_task(riding.note_place)


def place_order(parcel_id: str) -> ParcelView:
    """Order the carrier [outside]. Raises CarrierRefused; a silent carrier leaves the parcel waiting."""
    ordering.place_order(parcel_id)
    return run_unit(lambda u: parcel(u, parcel_id))


def cancel_parcel(parcel_id: str, reason: str, by: Actor, *, person_id: str | None = None) -> ParcelView:
    """Call a pick-up off [outside]. Raises NotYours, ParcelAlreadyCollected."""
    cancelling.cancel_parcel(parcel_id, reason, by, person_id=person_id)
    return run_unit(lambda u: parcel(u, parcel_id))


def hand_over(parcel_id: str, code: str, by: Actor, *, rider_id: str | None = None) -> ParcelView:
    """Give the parcel to whoever shows its code. Opens its own units; see `services.handing`."""
    handing.hand_over(parcel_id, code, by, rider_id=rider_id)
    return run_unit(lambda u: parcel(u, parcel_id))
