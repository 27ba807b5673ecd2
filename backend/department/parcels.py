"""The department's mail room: what is on its way, what arrived and was checked, what goes out and to whom it went."""

from typing import Annotated, Literal

from pydantic import Field

import courier
from backend import cases, people
from backend.kernel.problems import Forbidden, InvalidInput, NotFound
from backend.runtime.audience import Principal
from backend.runtime.paging import DEFAULT_LIMIT, MAX_LIMIT
from backend.runtime.surface import Body, Call, Page, Query, Surface
from backend.store.unit import Unit, run_unit, unit

MOST_PAGES = 20
"""How far one request looks for parcels of the officer's own region; the cursor carries on from there."""
HANDS = ("handler", "window_clerk", "system")
REACH = (NotFound, Forbidden, people.OutsideYourScope)
HERE = (*REACH, courier.ParcelNotHere)

Name = Annotated[str, Field(min_length=1, max_length=80)]
Copies = Annotated[int, Field(ge=1, le=99)]


class ParcelsAsked(Query):
    """A page of parcels that are not settled yet."""

    direction: Literal["inbound", "outbound"] | None = None
    cursor: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


class Finding(Body):
    """What was found of one piece."""

    name: Name
    state: Literal["received", "missing", "extra"]
    copies: Copies = 1
    note: str = Field(default="", max_length=200)


class Check(Body):
    """Every piece on the list, and whatever else was in the parcel."""

    pieces: list[Finding] = Field(min_length=1, max_length=60)


class Document(Body):
    name: Name
    copies: Copies = 1


class Dispatch(Body):
    """What was put into the parcel. `needs_holder`: only the person themselves may sign for it."""

    documents: list[Document] = Field(default_factory=list, max_length=50)
    needs_holder: bool = True


class GivenOut(Body):
    """Who stood at the window: with the code, or with an identity card that the clerk has seen."""

    code: str | None = Field(default=None, pattern=r"^\d{6}$")
    id_seen_of: Literal["holder", "agent"] | None = None


class Receipt(Body):
    """What the holder said when asked."""

    holder_has_it: bool


def expected_parcels(call: Call[None]) -> Page[courier.ParcelView]:
    """Parcels of my department: on their way in, to be checked, to be sent, on their way out."""
    officer = call.principal
    if officer.department_id is None or not officer.roles & set(HANDS):
        raise Forbidden
    asked: ParcelsAsked = call.query
    with unit() as u:
        return _within_reach(u, officer, officer.department_id, asked)


def parcels_of_case(call: Call[None], case_id: str) -> Page[courier.ParcelView]:
    """All parcels of a case, oldest first."""
    with unit() as u:
        cases.case_brief(u, case_id, officer=call.principal)
        return Page(courier.parcels_of(u, case_id))


def show_parcel(call: Call[None], parcel_id: str) -> courier.ParcelDetail:
    """One parcel with its traces and its chain of custody."""
    with unit() as u:
        _in_reach(u, call.principal, parcel_id)
        return courier.parcel_detail(u, parcel_id)


def receive_parcel(call: Call[None], u: Unit, parcel_id: str) -> courier.ParcelView:
    """It lies on our table: originals that arrived, or a result that came back."""
    _in_hands(u, call.principal, parcel_id)
    return courier.receive_parcel(u, parcel_id, call.principal.actor)


def check_parcel(call: Call[Check], u: Unit, parcel_id: str) -> courier.ParcelView:
    """Compare what arrived with the list; what is missing or too much is told to the citizen."""
    _in_hands(u, call.principal, parcel_id)
    found = [courier.PieceFinding(p.name, p.state, p.copies, p.note) for p in call.body.pieces]
    return courier.check_parcel(u, parcel_id, found, call.principal.actor)


def dispatch_result(call: Call[Dispatch], u: Unit, case_id: str) -> courier.ParcelView:
    """The result is in its parcel: the carrier is called, or it waits at the window."""
    brief = cases.case_brief(u, case_id, officer=call.principal)
    _require_hands(call.principal, brief)
    return courier.pack_result(
        u,
        matter=case_id,
        department_id=brief.department_id,
        documents=[courier.PieceWish(document.name, document.copies) for document in call.body.documents],
        needs_holder=call.body.needs_holder,
        by=call.principal.actor,
    )


def give_parcel_out(call: Call[GivenOut], parcel_id: str) -> courier.ParcelView:
    """Hand a result over at the window."""
    body, by = call.body, call.principal.actor
    if (body.code is None) == (body.id_seen_of is None):
        raise InvalidInput(errors=[{"field": "code", "message": "请填写交接码，或选择已核验的身份证件"}])
    run_unit(lambda u: _in_hands(u, call.principal, parcel_id))
    if body.code is not None:
        return courier.hand_over(parcel_id, body.code, by)
    seen = body.id_seen_of or ""
    return run_unit(lambda u: courier.hand_over_on_sight(u, parcel_id, seen, by))


def unlock_handover_code(call: Call[None], u: Unit, parcel_id: str) -> courier.ParcelView:
    """After five wrong codes: the holder may ask for a new one."""
    _in_hands(u, call.principal, parcel_id)
    return courier.unlock_handover(u, parcel_id, call.principal.actor)


def report_parcel_lost(call: Call[None], u: Unit, parcel_id: str) -> courier.ParcelView:
    """Nobody knows where it is."""
    _in_hands(u, call.principal, parcel_id)
    return courier.report_lost(u, parcel_id, call.principal.actor)


def settle_receipt(call: Call[Receipt], u: Unit, parcel_id: str) -> courier.ParcelView:
    """Settle the doubt about a parcel that somebody else signed for."""
    _in_hands(u, call.principal, parcel_id)
    return courier.confirm_receipt(u, parcel_id, call.body.holder_has_it, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on the departments' surface."""
    view = courier.ParcelView
    surface.get("/parcels", query=ParcelsAsked, answers=Page[courier.ParcelView], problems=(Forbidden,))(
        expected_parcels
    )
    surface.get("/cases/<case_id>/parcels", answers=Page[courier.ParcelView], problems=REACH)(parcels_of_case)
    surface.get("/parcels/<parcel_id>", answers=courier.ParcelDetail, problems=REACH)(show_parcel)
    surface.post("/parcels/<parcel_id>/receive", answers=view, problems=HERE)(receive_parcel)
    surface.post(
        "/parcels/<parcel_id>/check", body=Check, answers=view, problems=(*HERE, courier.PiecesDiffer)
    )(check_parcel)
    surface.post(
        "/cases/<case_id>/dispatch",
        body=Dispatch,
        answers=view,
        problems=(*REACH, InvalidInput, courier.NothingToDispatch, people.AddressNotFound),
    )(dispatch_result)
    surface.post(
        "/parcels/<parcel_id>/hand-over",
        body=GivenOut,
        answers=view,
        steps=True,
        problems=(*REACH, courier.NoHandover, courier.WrongHandoverCode, courier.HandoverLocked),
    )(give_parcel_out)
    surface.post("/parcels/<parcel_id>/unlock-code", answers=view, problems=REACH)(unlock_handover_code)
    surface.post("/parcels/<parcel_id>/lost", answers=view, problems=HERE)(report_parcel_lost)
    surface.post("/parcels/<parcel_id>/receipt", body=Receipt, answers=view, problems=HERE)(settle_receipt)


def _within_reach(
    u: Unit, officer: Principal, department_id: str, asked: ParcelsAsked
) -> Page[courier.ParcelView]:
    """A page of the department's parcels whose cases the officer may see; a parcel itself knows no region."""
    shown: list[courier.ParcelView] = []
    after = asked.cursor
    for _ in range(MOST_PAGES):
        page = courier.expected_parcels(
            u, department_id, direction=asked.direction, after=after, limit=asked.limit - len(shown)
        )
        reached = cases.reached_of(u, {parcel.case_id for parcel in page.items}, officer)
        shown += [parcel for parcel in page.items if parcel.case_id in reached]
        after = page.next
        if after is None or len(shown) == asked.limit:
            break
    return Page(tuple(shown), after)


def _in_reach(u: Unit, officer: Principal, parcel_id: str) -> cases.CaseBrief:
    """The case of a parcel, if this officer may see it; raises NotYours."""
    parcel = courier.parcel(u, parcel_id)
    return cases.case_brief(u, parcel.case_id, officer=officer)


def _in_hands(u: Unit, officer: Principal, parcel_id: str) -> None:
    """Parcels are handled by those who work on cases, at the desk or at the window."""
    _require_hands(officer, _in_reach(u, officer, parcel_id))


def _require_hands(officer: Principal, brief: cases.CaseBrief) -> None:
    roles = (people.may_handle(officer, brief.department_id, brief.region_code, role) for role in HANDS)
    if not any(roles):
        raise Forbidden
