"""Courier bureau (寄递): parcels both ways, in whose hands they are, and every piece accounted for.

The door: windows call these verbs and questions, and get frozen views. Verbs marked [outside] call a carrier and
open their own units; all others take the unit first.
"""

from courier.books import check_books
from courier.callbacks import callbacks_blueprint
from courier.desk import (
    cancel_parcel,
    check_parcel,
    confirm_receipt,
    hand_over,
    hand_over_on_sight,
    handover_code,
    pack_result,
    place_order,
    receive_parcel,
    report_lost,
    unlock_handover,
    wish_pickup,
)
from courier.machine import PARCEL
from courier.problems import (
    CarrierRefused,
    HandoverLocked,
    MailNotAllowed,
    NoHandover,
    NothingToDispatch,
    ParcelAlreadyCollected,
    ParcelNotHere,
    PickupAlreadyOpen,
    PiecesDiffer,
    WrongHandoverCode,
)
from courier.questions import (
    custody_of,
    expected_parcels,
    facts_for,
    parcel,
    parcel_detail,
    parcels_of,
    pieces_received,
)
from courier.reactions import (
    on_case_decided,
    on_case_finished,
    on_case_not_accepted,
    on_case_withdrawn,
    on_correction_lapsed,
)
from courier.views import (
    CustodyStep,
    HandoverCode,
    ParcelDetail,
    ParcelView,
    PieceFinding,
    PieceView,
    PieceWish,
    TraceView,
)

MACHINES = (PARCEL,)

__all__ = [
    "MACHINES",
    "CarrierRefused",
    "CustodyStep",
    "HandoverCode",
    "HandoverLocked",
    "MailNotAllowed",
    "NoHandover",
    "NothingToDispatch",
    "ParcelAlreadyCollected",
    "ParcelDetail",
    "ParcelNotHere",
    "ParcelView",
    "PickupAlreadyOpen",
    "PieceFinding",
    "PieceView",
    "PieceWish",
    "PiecesDiffer",
    "TraceView",
    "WrongHandoverCode",
    "callbacks_blueprint",
    "cancel_parcel",
    "check_books",
    "check_parcel",
    "confirm_receipt",
    "custody_of",
    "expected_parcels",
    "facts_for",
    "hand_over",
    "hand_over_on_sight",
    "handover_code",
    "on_case_decided",
    "on_case_finished",
    "on_case_not_accepted",
    "on_case_withdrawn",
    "on_correction_lapsed",
    "pack_result",
    "parcel",
    "parcel_detail",
    "parcels_of",
    "pieces_received",
    "place_order",
    "receive_parcel",
    "report_lost",
    "unlock_handover",
    "wish_pickup",
]
