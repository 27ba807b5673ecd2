"""The couriers' window (/courier/v1): riders of ours and keepers of postal points, each with their own tasks.

A task of somebody else looks as absent; names and addresses are masked until asked for, and gone after delivery.
"""

from typing import Annotated, Literal

from pydantic import Field

from backend.kernel.problems import NotYours
from backend.runtime.surface import Body, Call, Page, Query, Surface
from backend.store.unit import Unit, unit
from courier import desk, questions, sessions
from courier.problems import (
    HandoverLocked,
    NoHandover,
    ParcelNotHere,
    PiecesDiffer,
    WrongHandoverCode,
)
from courier.services import riding
from courier.views import PieceWish, TaskContact, TaskView

SURFACE = Surface("courier", "/courier/v1", audience="courier", title="寄递人员窗口")

ABSENT = (NotYours,)
ON_THE_WAY = (NotYours, ParcelNotHere)


class TaskQuery(Query):
    """`pool` asks for tasks that wait for somebody, instead of one's own."""

    pool: bool = False


class Piece(Body):
    name: Annotated[str, Field(min_length=1, max_length=80)]
    copies: Annotated[int, Field(ge=1, le=99)] = 1


class PieceList(Body):
    """What the sender handed over, as counted together."""

    pieces: Annotated[list[Piece], Field(min_length=1, max_length=50)]


class Code(Body):
    code: Annotated[str, Field(pattern=r"^\d{6}$")]


class Failure(Body):
    reason: Literal["absent", "unreachable", "damaged", "refused", "not_at_address"]


class Place(Body):
    place: Annotated[str, Field(min_length=1, max_length=60)]


@SURFACE.get("/tasks", query=TaskQuery, answers=Page[TaskView])
def tasks(call: Call[None]) -> Page[TaskView]:
    """My running tasks, or those that wait for somebody (`pool`)."""
    with unit() as u:
        return Page(questions.tasks_of(u, call.principal, pool=call.query.pool))


@SURFACE.get("/tasks/<parcel_id>", answers=TaskView, problems=ABSENT)
def task(call: Call[None], parcel_id: str) -> TaskView:
    """One of my tasks."""
    with unit() as u:
        return questions.task(u, parcel_id, call.principal)


@SURFACE.post("/tasks/<parcel_id>/take", answers=TaskView, problems=ABSENT)
def take(call: Call[None], u: Unit, parcel_id: str) -> TaskView:
    """Take a task out of the pool."""
    return desk.take_task(u, call.principal, parcel_id)


@SURFACE.post("/tasks/<parcel_id>/contact", answers=TaskContact, problems=ABSENT)
def contact(call: Call[None], u: Unit, parcel_id: str) -> TaskContact:
    """Name, phone and address in full; the look is written down and shown to the person."""
    return riding.reveal_contact(u, call.principal, parcel_id)


@SURFACE.post(
    "/tasks/<parcel_id>/collected", body=PieceList, answers=TaskView, problems=(*ON_THE_WAY, PiecesDiffer)
)
def collected(call: Call[PieceList], u: Unit, parcel_id: str) -> TaskView:
    """Fetched from the sender, the list confirmed piece by piece."""
    pieces = [PieceWish(piece.name, piece.copies) for piece in call.body.pieces]
    return desk.collect(u, call.principal, parcel_id, pieces)


@SURFACE.post("/tasks/<parcel_id>/set-out", answers=TaskView, problems=ON_THE_WAY)
def set_out(call: Call[None], u: Unit, parcel_id: str) -> TaskView:
    """On the way to the receiver."""
    return desk.set_out(u, call.principal, parcel_id)


@SURFACE.post(
    "/tasks/<parcel_id>/hand-over",
    body=Code,
    status=204,
    steps=True,
    problems=(NotYours, NoHandover, WrongHandoverCode, HandoverLocked),
)
def hand_over(call: Call[Code], parcel_id: str) -> None:
    """Give the parcel to whoever shows its code."""
    desk.hand_over(parcel_id, call.body.code, call.principal.actor, rider_id=call.principal.id)


@SURFACE.post("/tasks/<parcel_id>/failed", body=Failure, answers=TaskView, problems=ON_THE_WAY)
def failed(call: Call[Failure], u: Unit, parcel_id: str) -> TaskView:
    """It could not be handed over."""
    return desk.fail_delivery(u, call.principal, parcel_id, call.body.reason)


@SURFACE.post("/tasks/<parcel_id>/place", body=Place, answers=TaskView, problems=ON_THE_WAY)
def place(call: Call[Place], u: Unit, parcel_id: str) -> TaskView:
    """Where the parcel is now."""
    return desk.note_place(u, call.principal, parcel_id, call.body.place)


sessions.register(SURFACE)
