"""Story: I file an application, see where it is and who holds the ball, correct it, take it back, open it again."""

from typing import Any, Literal

from pydantic import Field

from backend import cases
from backend.kernel.problems import Conflict, ImpossibleMove, NotFound
from backend.runtime.paging import DEFAULT_LIMIT, MAX_LIMIT
from backend.runtime.surface import Body, Call, Page, Query, Surface
from backend.store.unit import Unit, unit

Mode = Literal["upload", "form", "e_licence", "mail", "window"]


class GivenMaterial(Body):
    """One material of the guide: its code, how it is given, and the uploads it takes."""

    code: str = Field(min_length=1, max_length=200)
    mode: Mode
    uploads: tuple[str, ...] = Field(default=(), max_length=20)


class NewCase(Body):
    """An application. `form` holds the answers by field name; `channel` is where it is filled in."""

    item_id: str = Field(min_length=1, max_length=40)
    form: dict[str, Any] = Field(default_factory=dict, max_length=100)
    materials: tuple[GivenMaterial, ...] = Field(default=(), max_length=60)
    delivery: Literal["window", "courier", "rider", "e_licence"]
    channel: Literal["wechat", "alipay", "h5"]
    address_id: str | None = Field(default=None, max_length=40)
    region_code: str | None = Field(default=None, max_length=12)


class Answer(Body):
    """Everything the open notice asked for: fields by name, materials by code."""

    fields: dict[str, Any] = Field(default_factory=dict, max_length=100)
    materials: tuple[GivenMaterial, ...] = Field(default=(), max_length=60)


class WhyWithdrawn(Body):
    """A reason, if the citizen wants to give one."""

    reason: str = Field(default="", max_length=200)


class CasesAsked(Query):
    """A page of my cases."""

    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


def submit_case(call: Call[NewCase], u: Unit) -> cases.CaseReceipt:
    """File an application; the receipt with the case number comes at once."""
    asked = call.body
    application = cases.Application(
        person_id=call.principal.id,
        item_id=asked.item_id,
        form=asked.form,
        materials=given(asked.materials),
        delivery=asked.delivery,
        channel=asked.channel,
        address_id=asked.address_id,
        region_code=asked.region_code,
    )
    return cases.submit_case(u, application, call.principal.actor)


def list_cases(call: Call[None]) -> Page[cases.CaseLine]:
    """My cases, newest first."""
    asked: CasesAsked = call.query
    with unit() as u:
        return cases.cases_of(u, call.principal.id, asked.cursor, asked.limit)


def show_case(call: Call[None], case_id: str) -> cases.Progress:
    """The timeline of my case: where it is, who holds the ball, why it waits, and until when."""
    me = call.principal
    return cases.my_progress(me.session_id, me.id, case_id)


def list_materials(call: Call[None], case_id: str) -> tuple[cases.MaterialView, ...]:
    """The materials of my case and what became of them."""
    with unit() as u:
        return cases.own_materials(u, case_id, call.principal.id)


def answer_correction(call: Call[Answer], u: Unit, case_id: str) -> cases.CaseLine:
    """Hand in everything the correction notice asked for."""
    answer = cases.CorrectionAnswer(call.body.fields, given(call.body.materials))
    return cases.answer_correction(u, case_id, call.principal.id, answer, call.principal.actor)


def withdraw_case(call: Call[WhyWithdrawn], u: Unit, case_id: str) -> cases.CaseLine:
    """Take my application back."""
    return cases.withdraw_case(u, case_id, call.principal.id, call.body.reason, call.principal.actor)


def reopen_case(call: Call[None], u: Unit, case_id: str) -> cases.CaseLine:
    """Open a case again that was closed because I did not answer in time."""
    return cases.reopen_case(u, case_id, call.principal.id, call.principal.actor)


def show_result(call: Call[None], case_id: str) -> cases.ResultView:
    """The result of my case: document numbers, and the file where there is one."""
    with unit() as u:
        return cases.result_of(u, case_id, call.principal.id)


def given(materials: tuple[GivenMaterial, ...]) -> tuple[cases.MaterialGiven, ...]:
    """Materials of a request in the words of the house."""
    return tuple(cases.MaterialGiven(one.code, one.mode, one.uploads) for one in materials)


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface."""
    one, moves = "/cases/<case_id>", (NotFound, ImpossibleMove, Conflict)
    surface.post(
        "/cases", body=NewCase, answers=cases.CaseReceipt, status=201, problems=cases.FILING_PROBLEMS
    )(submit_case)
    surface.get("/cases", query=CasesAsked, answers=Page[cases.CaseLine])(list_cases)
    surface.get(one, answers=cases.Progress, problems=(NotFound,), folded=True)(show_case)
    surface.get(f"{one}/materials", answers=tuple[cases.MaterialView, ...], problems=(NotFound,))(
        list_materials
    )
    surface.get(f"{one}/result", answers=cases.ResultView, problems=(NotFound,))(show_result)
    surface.post(
        f"{one}/correction",
        body=Answer,
        answers=cases.CaseLine,
        problems=(
            *moves,
            cases.AnswerIncomplete,
            cases.MaterialUnknown,
            cases.MaterialModeRefused,
            cases.UploadUnusable,
        ),
    )(answer_correction)
    surface.post(f"{one}/withdrawal", body=WhyWithdrawn, answers=cases.CaseLine, problems=moves)(
        withdraw_case
    )
    surface.post(f"{one}/reopening", answers=cases.CaseLine, problems=(*moves, cases.NotReopenable))(
        reopen_case
    )
