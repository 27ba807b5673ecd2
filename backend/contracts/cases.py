"""Facts of cases."""

from dataclasses import dataclass

from backend.contracts.language import Event


@dataclass(frozen=True, slots=True)
class CaseEvent(Event):
    person_id: str


@dataclass(frozen=True, slots=True)
class CaseSubmitted(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CorrectionRequested(CaseEvent):
    correction_id: str


@dataclass(frozen=True, slots=True)
class CaseResubmitted(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CorrectionLapsed(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseReopened(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class PreReviewPassed(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseAccepted(CaseEvent):
    deemed: bool = False


@dataclass(frozen=True, slots=True)
class CaseNotAccepted(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class FeeDemanded(CaseEvent):
    amount_fen: int


@dataclass(frozen=True, slots=True)
class FeeNotWanted(CaseEvent):
    """Money was paid for a fee that the case no longer wants."""

    payment_id: str


@dataclass(frozen=True, slots=True)
class CasePaused(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseResumed(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseExtended(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseDecided(CaseEvent):
    granted: bool


@dataclass(frozen=True, slots=True)
class CaseFinished(CaseEvent):
    """`delivery` is courier, rider or window; `deliver_to` an address id where one is needed."""

    delivery: str
    deliver_to: str | None = None


@dataclass(frozen=True, slots=True)
class CaseDelivered(CaseEvent):
    pass


@dataclass(frozen=True, slots=True)
class CaseWithdrawn(CaseEvent):
    pass
