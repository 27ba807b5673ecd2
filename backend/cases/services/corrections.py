"""Corrections: everything that is missing told at once, only what the guide asks for, answered as a whole.

BZ-34 (no demands beyond the guide the case was filed under), SH-12 (一次性告知), 行政许可法 art. 32.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import orjson
from sqlalchemy import select, update

from backend import catalogue
from backend.cases.clocks import add_term
from backend.cases.dates import Standing
from backend.cases.models import POINTS, Case, Correction, Material
from backend.cases.problems import AnswerIncomplete, CorrectionOpen, NotReopenable, PointOutsideGuide
from backend.cases.services import desk
from backend.cases.services.filing import open_form, seal_form
from backend.cases.services.giving import Piece, pieces_of
from backend.cases.services.writing import add_materials
from backend.cases.telling import due_view_of, line_of
from backend.cases.terms import terms_of
from backend.cases.views import (
    CaseLine,
    CorrectionAnswer,
    CorrectionView,
    Point,
    PointView,
)
from backend.contracts import CaseReopened, CaseResubmitted, CorrectionLapsed, CorrectionRequested
from backend.kernel import clock, ids
from backend.kernel.problems import FieldError, ImpossibleMove
from backend.runtime.audience import Principal
from backend.store import vault
from backend.store.unit import CLOCK, Actor, Unit


def request_correction(u: Unit, case_id: str, officer: Principal, points: Sequence[Point]) -> CaseLine:
    """Send one consolidated notice.

    Raises CorrectionOpen while one waits for its answer, PointOutsideGuide, ImpossibleMove.
    """
    case = desk.handled_case(u, case_id, officer, lock=True)
    if case.state == "correcting":
        raise CorrectionOpen
    version = catalogue.version(u, case.item_version_id)
    points = _within_guide(version, points)
    case.round += 1
    case.asked_on = clock.today()
    notice = Correction(
        id=ids.new_id("co"), case_id=case.id, round=case.round, asked_at=clock.now(), answered=False
    )
    notice.points_sealed = _seal_points(notice.id, points)
    event = CorrectionRequested(case.id, case.person_id, notice.id)
    told = {"items": [label_in(version, point) for point in points], "round": case.round}
    desk.move(u, case, "correction_requested", officer.actor, event, told)
    u.add(notice)
    return line_of(case)


def answer_correction(u: Unit, case_id: str, person_id: str, answer: CorrectionAnswer, by: Actor) -> CaseLine:
    """Hand in everything the open notice asked for, in one go.

    Raises AnswerIncomplete, MaterialUnknown, UploadUnusable, ImpossibleMove, and what the form check says.
    """
    case = desk.own_case(u, case_id, person_id, lock=True)
    notice = desk.open_correction(u, case.id)
    if notice is None:
        raise ImpossibleMove(state=case.state, trigger="resubmitted")
    version = catalogue.version(u, case.item_version_id)
    pieces = pieces_of(version, answer.materials)
    _require_exactly_asked(points_of(notice), answer, pieces)
    case.form_sealed = seal_form(
        case.id, catalogue.validate_form(version, {**open_form(case), **answer.fields})
    )
    _replace(u, case, pieces, by)
    notice.closed_at, notice.answered = clock.now(), True
    case.received_at, case.asked_on, case.pre_review_warned = clock.now(), None, False
    event = CaseResubmitted(case.id, case.person_id)
    items = [piece.material.name for piece in pieces]
    desk.move(u, case, "resubmitted", by, event, {"items": items, "round": case.round})
    return line_of(case)


def lapse_correction(u: Unit, case: Case) -> None:
    """Close a locked case whose correction stayed unanswered beyond its term."""
    notice = desk.open_correction(u, case.id)
    if notice is not None:
        notice.closed_at = clock.now()
    case.asked_on, case.closed_on = None, clock.today()
    desk.move(u, case, "lapsed", CLOCK, CorrectionLapsed(case.id, case.person_id))


def reopen_case(u: Unit, case_id: str, person_id: str, by: Actor) -> CaseLine:
    """Open a lapsed case again: the same notice waits for its answer for a fresh term. Raises NotReopenable."""
    case = desk.own_case(u, case_id, person_id, lock=True)
    if case.closed_on is not None:
        terms = terms_of(catalogue.version(u, case.item_version_id))
        if clock.today() > add_term(catalogue.calendar(u), case.closed_on, terms.reopening).on:
            raise NotReopenable
    notice = _last_notice(u, case)
    if notice is not None:
        notice.closed_at = None
    case.asked_on, case.closed_on = clock.today(), None
    _await_originals_again(u, case)
    desk.move(u, case, "reopened", by, CaseReopened(case.id, case.person_id))
    return line_of(case)


def points_of(notice: Correction) -> tuple[Point, ...]:
    sealed = vault.open_sealed_bytes(POINTS.place, notice.id, notice.points_sealed)
    return tuple(Point(*point) for point in orjson.loads(sealed))


def correction_view(u: Unit, case: Standing) -> CorrectionView | None:
    """The open notice with the labels of the guide version the case was filed under."""
    notice = desk.open_correction(u, case.id)
    due = due_view_of(case)
    if notice is None or due is None:
        return None
    version = catalogue.version(u, case.item_version_id)
    points = tuple(
        PointView(p.kind, p.name, label_in(version, p) or p.name, p.problem, p.advice)
        for p in points_of(notice)
    )
    return CorrectionView(notice.id, notice.round, due, points)


def label_in(version: catalogue.ItemVersion, point: Point) -> str | None:
    """What the guide calls the thing a point names; None when the guide does not know it."""
    if point.kind == "material":
        material = version.material(point.name)
        return material.name if material else None
    return next((field.label for field in version.form if field.name == point.name), None)


def _within_guide(version: catalogue.ItemVersion, points: Sequence[Point]) -> list[Point]:
    """The points with materials named by code. Raises PointOutsideGuide for anything else."""
    errors = [
        FieldError(field=f"points.{n}.name", message="办事指南没有要求这一项")
        for n, point in enumerate(points)
        if label_in(version, point) is None
    ]
    if errors or not points:
        raise PointOutsideGuide(errors=errors)
    named = [replace(point, name=_code(version, point)) for point in points]
    return list({(point.kind, point.name): point for point in named}.values())


def _code(version: catalogue.ItemVersion, point: Point) -> str:
    material = version.material(point.name) if point.kind == "material" else None
    return material.code if material else point.name


def _require_exactly_asked(
    points: Iterable[Point], answer: CorrectionAnswer, pieces: Iterable[Piece]
) -> None:
    """All that was asked, and nothing that was not: the notice is what both sides agreed on."""
    asked = {f"{point.kind}s.{point.name}" for point in points}
    given = {f"fields.{name}" for name in answer.fields} | {f"materials.{p.material.code}" for p in pieces}
    errors = [FieldError(field=name, message="请补正此项") for name in sorted(asked - given)]
    errors += [FieldError(field=name, message="补正通知没有要求此项") for name in sorted(given - asked)]
    if errors:
        raise AnswerIncomplete(errors=errors)


def _replace(u: Unit, case: Case, pieces: Sequence[Piece], by: Actor) -> None:
    if not pieces:
        return
    codes = [piece.material.code for piece in pieces]
    former = u.session.scalars(select(Material).where(Material.case_id == case.id, Material.code.in_(codes)))
    for material in former:
        material.state = "replaced"
    add_materials(u, case, pieces, by.id)
    if any(piece.mode == "mail" for piece in pieces):
        case.originals = "awaited"


def _await_originals_again(u: Unit, case: Case) -> None:
    """They went home when the case was closed."""
    if case.originals == "none":
        return
    case.originals = "awaited"
    by_mail = update(Material).where(Material.case_id == case.id, Material.mode == "mail")
    u.session.execute(by_mail.where(Material.state != "replaced").values(state="awaited"))


def _last_notice(u: Unit, case: Case) -> Correction | None:
    return u.session.scalar(
        select(Correction).where(Correction.case_id == case.id, Correction.round == case.round)
    )


def _seal_points(notice_id: str, points: Sequence[Point]) -> bytes:
    plain = [[p.kind, p.name, p.problem, p.advice] for p in points]
    return vault.seal_bytes(POINTS.place, notice_id, orjson.dumps(plain))
