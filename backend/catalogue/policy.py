"""How the offices treat cases of an item: frozen in the version, so that a rule never changes under a case."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backend.catalogue.words import say

Unit = Literal["WD", "ND"]


@dataclass(frozen=True, slots=True)
class Term:
    """A limit: so many working (WD) or calendar (ND) days after the day of receipt."""

    days: int
    unit: Unit

    @property
    def says(self) -> str:
        """The limit in words, such as 5个工作日; 当场办结 for none at all."""
        return say("guide", "at_once" if self.days == 0 else self.unit, days=self.days)


@dataclass(frozen=True, slots=True)
class BookingRule:
    """Capacity and times of a slot; lead and opening in days, cancelling in hours before the slot."""

    slot_minutes: int
    capacity_per_slot: int
    open_days_ahead: int
    min_lead_days: int
    cancel_before_hours: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What offices ask about an item. `None` for a limit means that there is none."""

    served_by: Literal["case", "booking", "bill"]
    immediate: bool
    promise: Term
    legal: Term | None
    extension: Term | None
    pre_review_hours: int | None
    pre_review_unit: Literal["clock", "working"]
    deemed_acceptance_workdays: int | None
    correction_term: Term
    delivery_within: Term
    fee_before: Literal["decision"] | None
    can_pay_online: bool
    mail_in: bool
    mail_out: bool
    pickup: bool
    e_result: bool
    bookable: bool
    booking: BookingRule | None
    booking_subjects: tuple[str, ...]
    booking_after: Literal["pre_review", "filing"] | None
    online_apply: bool
    visits: int
    special_procedures: tuple[str, ...]
    cooling_off_days: int | None
    second_step_window_days: int | None
    fine_online_handle_max_fen: int | None

    @property
    def deliveries(self) -> tuple[str, ...]:
        """Ways in which the result can reach the citizen: pickup, courier, e_licence."""
        ways = {"pickup": self.pickup, "courier": self.mail_out, "e_licence": self.e_result}
        return tuple(way for way, offered in ways.items() if offered)


def policy_of(content: Mapping[str, Any]) -> Policy:
    """Read the policy out of a version's content."""
    own, booking = content["policy"], content.get("booking")
    return Policy(
        served_by=own["served_by"],
        immediate=content["promise_days"] == 0,
        promise=Term(content["promise_days"], content["promise_unit"]),
        legal=_legal(content),
        extension=_term(own["extension"]),
        pre_review_hours=content.get("pre_review_hours"),
        pre_review_unit=own["pre_review_unit"],
        deemed_acceptance_workdays=own["deemed_acceptance_workdays"],
        correction_term=Term(**own["correction_term"]),
        delivery_within=Term(**own["delivery_within"]),
        fee_before=own["fee_before"] if content["is_fee"] else None,
        can_pay_online=content["pay_online"],
        mail_in=content["mail_materials"],
        mail_out=content["mail_result"],
        pickup=own["pickup"],
        e_result=content.get("result_e_licence") is not None,
        bookable=content["bookable"],
        booking=BookingRule(**booking) if booking else None,
        booking_subjects=tuple(content.get("booking_subjects", ())),
        booking_after=own["booking_after"],
        online_apply=content["online_apply"],
        visits=content["visits"],
        special_procedures=tuple(content.get("special_procedures", ())),
        cooling_off_days=content.get("cooling_off_days"),
        second_step_window_days=content.get("second_step_window_days"),
        fine_online_handle_max_fen=content.get("fine_online_handle_max_fen"),
    )


def _legal(content: Mapping[str, Any]) -> Term | None:
    if content.get("legal_days") is None or content.get("legal_unit") is None:
        return None
    return Term(content["legal_days"], content["legal_unit"])


def _term(told: Mapping[str, Any] | None) -> Term | None:
    return None if told is None else Term(**told)
