"""The department's desk for cases: the queue, the file, and every step until the result is in the citizen's hands.

Staff and departments' own systems use the same endpoints (BZ-11); a foreign case looks absent.
"""

from typing import Any, Literal

from pydantic import Field

from backend import cases, people
from backend.department.problems import ApplicantUnknown
from backend.kernel.problems import (
    ChannelRefused,
    ChannelSilent,
    Conflict,
    Forbidden,
    ImpossibleMove,
    NotFound,
    Problem,
)
from backend.runtime.paging import DEFAULT_LIMIT, MAX_LIMIT
from backend.runtime.surface import Body, Call, Page, Query, Surface
from backend.store.unit import Unit, unit

IdNo = Field(min_length=18, max_length=18)
WINDOW_CLERK = "window_clerk"


class QueueAsked(Query):
    """Which cases: in a state, or by their next due day; a page of them."""

    state: str | None = Field(default=None, max_length=20)
    due: Literal["overdue", "today", "soon"] | None = None
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


class Applicant(Body):
    """A citizen at the window, as the identity card says."""

    name: str = Field(min_length=2, max_length=100)
    id_no: str = IdNo
    phone: str = Field(min_length=11, max_length=20)


class WindowMaterial(Body):
    """One material of the guide as it was handed over the counter."""

    code: str = Field(min_length=1, max_length=200)
    mode: Literal["upload", "form", "e_licence", "mail", "window"]
    uploads: tuple[str, ...] = Field(default=(), max_length=20)


class WindowCase(Body):
    """An application filed by a clerk for the citizen who stands at the window."""

    id_no: str = IdNo
    item_id: str = Field(min_length=1, max_length=40)
    form: dict[str, Any] = Field(default_factory=dict, max_length=100)
    materials: tuple[WindowMaterial, ...] = Field(default=(), max_length=60)
    delivery: Literal["window", "courier", "rider", "e_licence"]
    address_id: str | None = Field(default=None, max_length=40)
    region_code: str | None = Field(default=None, max_length=12)


class Purpose(Body):
    """Why somebody looks at a person's data; the person can read it."""

    purpose: str = Field(min_length=2, max_length=100)


class Reason(Body):
    """Why; the citizen reads it."""

    reason: str = Field(min_length=2, max_length=300)


class CorrectionPoint(Body):
    """One thing to correct: a material or form field of the guide, what is wrong, what to do."""

    kind: Literal["material", "field"]
    name: str = Field(min_length=1, max_length=200)
    problem: str = Field(min_length=2, max_length=200)
    advice: str = Field(min_length=2, max_length=200)


class CorrectionNotice(Body):
    """Everything that is missing, told at once."""

    points: tuple[CorrectionPoint, ...] = Field(min_length=1, max_length=60)


class SpecialProcedure(Reason):
    """A procedure the guide names, and how many days the applicant is told it will take."""

    procedure: str = Field(min_length=2, max_length=60)
    days: int = Field(ge=1, le=730)


class Decision(Body):
    """Granted or denied; a denial needs its reason."""

    granted: bool
    reason: str = Field(default="", max_length=500)


class CaseResult(Body):
    """Numbers of the documents that were made, and the officer's upload of an electronic one."""

    numbers: tuple[str, ...] = Field(default=(), max_length=50)
    upload_id: str | None = Field(default=None, max_length=40)


class MaterialCheck(Body):
    """Ids of materials whose originals were found, and of those that were not."""

    checked: tuple[str, ...] = Field(default=(), max_length=60)
    missing: tuple[str, ...] = Field(default=(), max_length=60)


def list_queue(call: Call[None]) -> Page[cases.QueueLine]:
    """Cases within my department and region: oldest first, or most urgent first."""
    asked: QueueAsked = call.query
    with unit() as u:
        return cases.queue_of(
            u, call.principal, state=asked.state, due=asked.due, after=asked.cursor, limit=asked.limit
        )


def register_applicant(call: Call[Applicant]) -> people.PersonView:
    """Find or register the citizen at the window, checked by the identity authority."""
    people.require_role(call.principal, WINDOW_CLERK)
    return people.register_at_window(call.body.name, call.body.id_no, call.body.phone, call.principal)


def file_at_window(call: Call[WindowCase], u: Unit) -> cases.CaseReceipt:
    """File an application for the citizen at the window."""
    asked = call.body
    people.require_role(call.principal, WINDOW_CLERK)
    found = people.find_person(u, id_no=asked.id_no)
    if len(found) != 1:
        raise ApplicantUnknown
    application = cases.Application(
        person_id=found[0].id,
        item_id=asked.item_id,
        form=asked.form,
        materials=tuple(cases.MaterialGiven(one.code, one.mode, one.uploads) for one in asked.materials),
        delivery=asked.delivery,
        channel="window",
        address_id=asked.address_id,
        region_code=asked.region_code,
    )
    receipt = cases.submit_case(u, application, call.principal.actor)
    brief = cases.case_brief(u, receipt.case_id)
    people.require_may_handle(call.principal, brief.department_id, brief.region_code, WINDOW_CLERK)
    return receipt


def show_file(call: Call[None], case_id: str) -> cases.CaseFile:
    """The file of a case, person and private answers masked."""
    with unit() as u:
        return cases.file_of(u, case_id, call.principal)


def reveal_case(call: Call[Purpose], u: Unit, case_id: str) -> cases.RevealedCase:
    """Person and answers in plain words; the look is journalled and the person sees it."""
    return cases.reveal_case(u, case_id, call.principal, call.body.purpose)


def pass_pre_review(call: Call[None], u: Unit, case_id: str) -> cases.CaseLine:
    """Let the case pass its pre-review."""
    return cases.pass_pre_review(u, case_id, call.principal)


def request_correction(call: Call[CorrectionNotice], u: Unit, case_id: str) -> cases.CaseLine:
    """Tell everything that is missing, once."""
    points = tuple(cases.Point(p.kind, p.name, p.problem, p.advice) for p in call.body.points)
    return cases.request_correction(u, case_id, call.principal, points)


def not_accept(call: Call[Reason], u: Unit, case_id: str) -> cases.CaseLine:
    """Refuse acceptance, with the reason."""
    return cases.not_accept(u, case_id, call.principal, call.body.reason)


def accept(call: Call[None], u: Unit, case_id: str) -> cases.CaseLine:
    """Accept the case: its clocks start."""
    return cases.accept(u, case_id, call.principal)


def start_review(call: Call[None], u: Unit, case_id: str) -> cases.CaseLine:
    """Begin the review."""
    return cases.start_review(u, case_id, call.principal)


def pause(call: Call[SpecialProcedure], u: Unit, case_id: str) -> cases.CaseLine:
    """Begin a special procedure: the clock stands still."""
    told = call.body
    return cases.pause(u, case_id, call.principal, told.procedure, told.days, told.reason)


def resume(call: Call[None], u: Unit, case_id: str) -> cases.CaseLine:
    """End the special procedure: the clock runs again."""
    return cases.resume(u, case_id, call.principal)


def extend(call: Call[Reason], u: Unit, case_id: str) -> cases.CaseLine:
    """Prolong the term, once, with the reason."""
    return cases.extend(u, case_id, call.principal, call.body.reason)


def decide(call: Call[Decision], u: Unit, case_id: str) -> cases.CaseLine:
    """Grant or deny."""
    return cases.decide(u, case_id, call.principal, granted=call.body.granted, reason=call.body.reason)


def finish(call: Call[CaseResult], u: Unit, case_id: str) -> cases.CaseLine:
    """Record the result; it goes to the citizen the way they chose."""
    return cases.finish(u, case_id, call.principal, call.body.numbers, call.body.upload_id)


def hand_over(call: Call[None], u: Unit, case_id: str) -> cases.CaseLine:
    """The citizen fetched the result at the window."""
    return cases.hand_over(u, case_id, call.principal)


def confirm_materials(call: Call[MaterialCheck], u: Unit, case_id: str) -> cases.CaseLine:
    """Tick off originals against the material list."""
    return cases.confirm_materials(u, case_id, call.principal, call.body.checked, call.body.missing)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    surface.get("/cases", query=QueueAsked, answers=Page[cases.QueueLine], problems=(Forbidden,))(list_queue)
    surface.post(
        "/applicants",
        body=Applicant,
        answers=people.PersonView,
        steps=True,
        problems=(people.OutsideYourScope, people.IdentityMismatch, Conflict, ChannelSilent, ChannelRefused),
    )(register_applicant)
    surface.post(
        "/cases",
        body=WindowCase,
        answers=cases.CaseReceipt,
        status=201,
        problems=(*cases.FILING_PROBLEMS, people.OutsideYourScope, ApplicantUnknown),
    )(file_at_window)
    surface.get("/cases/<case_id>", answers=cases.CaseFile, problems=(NotFound,))(show_file)
    surface.post("/cases/<case_id>/reveal", body=Purpose, answers=cases.RevealedCase, problems=(NotFound,))(
        reveal_case
    )
    for path, body, verb, own in _VERBS:
        problems = (NotFound, ImpossibleMove, Conflict, *own)
        surface.post(f"/cases/<case_id>/{path}", body=body, answers=cases.CaseLine, problems=problems)(verb)


_VERBS: tuple[tuple[str, type[Body] | None, Any, tuple[type[Problem], ...]], ...] = (
    ("pre-review", None, pass_pre_review, (cases.PreReviewNotOffered,)),
    ("corrections", CorrectionNotice, request_correction, (cases.CorrectionOpen, cases.PointOutsideGuide)),
    ("refusal", Reason, not_accept, ()),
    ("acceptance", None, accept, (cases.OriginalsAwaited,)),
    ("review", None, start_review, ()),
    ("pause", SpecialProcedure, pause, (cases.ProcedureUnknown,)),
    ("resumption", None, resume, ()),
    ("extension", Reason, extend, (cases.ExtendedAlready, cases.ExtensionNotOffered)),
    ("decision", Decision, decide, (cases.FeeStillDue, cases.ReasonMissing)),
    ("result", CaseResult, finish, (cases.UploadUnusable,)),
    ("handover", None, hand_over, ()),
    ("materials", MaterialCheck, confirm_materials, (cases.MaterialUnknown,)),
)
