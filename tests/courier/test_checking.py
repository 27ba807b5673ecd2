"""The department opens the parcel: every piece on the list is found or missed, and originals find their way home."""

from typing import Any

import pytest

import courier
from backend import cases
from backend.contracts import CaseDecided, CaseFinished, CaseNotAccepted, CaseWithdrawn
from backend.runtime import relay
from backend.store.unit import run_unit
from courier import tasks
from tests.courier.makers import (
    DEPARTMENT,
    ORIGINAL,
    Answer,
    Bureau,
    Citizen,
    events_of,
    exhaust,
    rows,
    staff_token,
    state_of,
    tell,
)


def found(name: str = ORIGINAL, state: str = "received", copies: int = 1) -> dict[str, Any]:
    return {"name": name, "state": state, "copies": copies}


def check(bureau: Bureau, parcel_id: str, *pieces: dict[str, Any]) -> Answer:
    return bureau.post(f"/dept/v1/parcels/{parcel_id}/check", bureau.clerk(), {"pieces": list(pieces)})


def arrived(bureau: Bureau, citizen: Citizen) -> str:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "collected", "in_transit", "signed", wait_for="delivered")
    return parcel_id


def outbound(citizen: Citizen) -> list[courier.ParcelView]:
    parcels = run_unit(lambda u: courier.parcels_of(u, citizen.case_id))
    return [parcel for parcel in parcels if parcel.direction == "outbound"]


def test_a_complete_parcel_is_checked(bureau: Bureau, citizen: Citizen) -> None:
    answer = check(bureau, arrived(bureau, citizen), found())
    assert (answer.status, answer.body["state"]) == (200, "checked")
    assert answer.body["holder"] == "department"
    assert events_of(citizen.case_id)[-1] == "ParcelChecked"
    assert [piece.name for piece in run_unit(lambda u: courier.pieces_received(u, citizen.case_id))] == [
        ORIGINAL
    ]


def test_missing_and_extra_pieces_are_written_down(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = arrived(bureau, citizen)
    note = {"note": "信封内只有复印件"}
    answer = check(bureau, parcel_id, found(state="missing") | note, found("旧照片", "extra", 2))
    assert {piece["name"]: piece["state"] for piece in answer.body["pieces"]} == {
        ORIGINAL: "missing",
        "旧照片": "extra",
    }
    shown = bureau.get(f"/mp/v1/parcels/{parcel_id}", citizen.token).body["parcel"]
    assert shown["pieces"][0]["note"] == "信封内只有复印件"


@pytest.mark.parametrize(
    "pieces",
    [
        [found("别的材料")],
        [found(), found()],
        [found(state="extra")],
        [found(copies=2)],
        [found("旧照片", "extra")],
    ],
)
def test_a_list_that_does_not_answer_is_refused(
    bureau: Bureau, citizen: Citizen, pieces: list[dict[str, Any]]
) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "collected", wait_for="collected")
    answer = check(bureau, parcel_id, *pieces)
    assert (answer.status, answer.slug) == (422, "pieces-differ")
    assert state_of(parcel_id) == "collected"


def test_the_parcel_in_hand_outruns_the_push(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "collected", wait_for="collected")
    assert check(bureau, parcel_id, found()).body["state"] == "checked"
    bureau.carrier_does(parcel_id, "in_transit", "signed")
    bureau.all_delivered(parcel_id)
    exhaust(tasks.poll_tracks)
    assert state_of(parcel_id) == "checked"
    assert events_of(citizen.case_id).count("ParcelDelivered") == 1


def test_a_parcel_nobody_sent_is_not_checked(bureau: Bureau, citizen: Citizen) -> None:
    bureau.fault("1801", "5xx_after")
    parcel_id = str(bureau.order_pickup(citizen).body["id"])
    assert check(bureau, parcel_id, found()).slug == "parcel-not-here"


def test_a_parcel_is_checked_only_once(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = arrived(bureau, citizen)
    check(bureau, parcel_id, found())
    assert check(bureau, parcel_id, found()).slug == "parcel-not-here"


def test_another_department_sees_no_parcel(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, stranger = arrived(bureau, citizen), bureau.clerk("BZ-GT")
    assert bureau.get(f"/dept/v1/parcels/{parcel_id}", stranger).status == 404
    answer = bureau.post(f"/dept/v1/parcels/{parcel_id}/check", stranger, {"pieces": [found()]})
    assert answer.status == 404
    assert bureau.get(f"/dept/v1/cases/{citizen.case_id}/parcels", stranger).status == 404
    assert state_of(parcel_id) == "delivered"


def test_an_account_without_a_role_lists_no_parcels(bureau: Bureau) -> None:
    for roles in ((), ("audit_admin",)):
        assert bureau.get("/dept/v1/parcels", staff_token(DEPARTMENT, *roles)).status == 403


def test_parcels_of_another_region_are_not_listed(bureau: Bureau, citizen: Citizen) -> None:
    sent = bureau.pickup(citizen)
    elsewhere = staff_token(DEPARTMENT, "handler", region_code="341623")
    page = bureau.get("/dept/v1/parcels?direction=inbound&limit=2", elsewhere).body
    assert (page["items"], page["next"]) == ([], None)
    here = bureau.get("/dept/v1/parcels?direction=inbound&limit=50", bureau.clerk()).body
    assert sent in {parcel["id"] for parcel in here["items"]}


def test_numbers_typed_into_a_finding_are_not_kept(bureau: Bureau, citizen: Citizen) -> None:
    note = "请联系 13812345678，证号 34160219900101001X"
    parcel_id = arrived(bureau, citizen)
    assert check(bureau, parcel_id, found() | {"note": note}).status == 200
    notes = {one.note for one in run_unit(lambda u: courier.parcel(u, parcel_id)).pieces}
    assert notes == {"请联系 138****5678，证号 341602********001X"}


def test_expected_parcels_are_listed_page_by_page(bureau: Bureau) -> None:
    sent = {bureau.pickup(bureau.citizen()) for _ in range(3)}
    listed: set[str] = set()
    cursor = ""
    while True:
        page = bureau.get(f"/dept/v1/parcels?direction=inbound&limit=2{cursor}", bureau.clerk()).body
        listed |= {parcel["id"] for parcel in page["items"]}
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sent <= listed


def test_a_case_not_accepted_sends_originals_home(bureau: Bureau, citizen: Citizen) -> None:
    check(bureau, arrived(bureau, citizen), found())
    tell(courier.on_case_not_accepted, CaseNotAccepted(citizen.case_id, citizen.person_id))
    tell(courier.on_case_not_accepted, CaseNotAccepted(citizen.case_id, citizen.person_id))
    (parcel,) = outbound(citizen)
    assert (parcel.purpose, [piece.name for piece in parcel.pieces]) == ("return", [ORIGINAL])
    assert bureau.dispatch(citizen).status == 200
    tasks.place_orders()
    bureau.carrier_does(parcel.id, "collected", "in_transit", "signed", wait_for="delivered")
    assert run_unit(lambda u: courier.pieces_received(u, citizen.case_id)) == ()


def test_a_withdrawn_case_calls_the_pickup_off(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    tell(courier.on_case_withdrawn, CaseWithdrawn(citizen.case_id, citizen.person_id))
    tasks.sweep_orders()
    assert state_of(parcel_id) == "cancelled"


def test_originals_on_the_road_return_once_checked(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = arrived(bureau, citizen)
    tell(courier.on_case_withdrawn, CaseWithdrawn(citizen.case_id, citizen.person_id))
    assert outbound(citizen) == []
    check(bureau, parcel_id, found())
    assert [parcel.purpose for parcel in outbound(citizen)] == ["return"]


def test_a_refusal_and_its_originals_share_a_parcel(bureau: Bureau, citizen: Citizen) -> None:
    check(bureau, arrived(bureau, citizen), found())
    tell(courier.on_case_decided, CaseDecided(citizen.case_id, citizen.person_id, False))
    tell(
        courier.on_case_finished,
        CaseFinished(citizen.case_id, citizen.person_id, "courier", citizen.address_id),
    )
    assert bureau.dispatch(citizen, "不予许可决定书").status == 200
    (parcel,) = outbound(citizen)
    assert {piece.name for piece in parcel.pieces} == {ORIGINAL, "不予许可决定书"}


def test_a_granted_case_keeps_its_originals(bureau: Bureau, citizen: Citizen) -> None:
    check(bureau, arrived(bureau, citizen), found())
    tell(courier.on_case_decided, CaseDecided(citizen.case_id, citizen.person_id, True))
    assert outbound(citizen) == []


def test_a_lost_parcel_is_lost_until_it_is_found(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    assert bureau.post(f"/dept/v1/parcels/{parcel_id}/lost", bureau.clerk()).slug == "parcel-not-here"
    bureau.carrier_does(parcel_id, "collected", wait_for="collected")
    lost = bureau.post(f"/dept/v1/parcels/{parcel_id}/lost", bureau.clerk())
    assert (lost.body["state"], lost.body["holder"]) == ("lost", "nobody")
    received = bureau.post(f"/dept/v1/parcels/{parcel_id}/receive", bureau.clerk())
    assert received.body["state"] == "delivered"


def test_the_other_houses_hear_the_whole_way(bureau: Bureau, citizen: Citizen) -> None:
    check(bureau, arrived(bureau, citizen), found())
    relay.relay_all()
    failed = rows(
        "SELECT ear, last_error FROM store_delivery WHERE stream = :m AND state <> 'done'", m=citizen.case_id
    )
    assert failed == []
    originals = run_unit(lambda u: cases.paper_originals(u, citizen.case_id))
    assert [paper.state for paper in originals] == ["checked"]
