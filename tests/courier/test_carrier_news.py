"""Pushes and questions are one kind of news: kept once, believed only when genuine, right in any order."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import requests

import courier
from backend.kernel import clock
from backend.runtime.settings import settings
from backend.store.unit import run_unit
from courier import tasks
from courier.carriers import kdniao_wire as wire
from tests.courier.makers import Bureau, Citizen, events_of, exhaust, order_code, rows, state_of

WHOLE_ROAD = ("courier", "collected", "in_transit", "arrived", "out_for_delivery", "signed")


def push(
    bureau: Bureau, item: dict[str, object], kind: str = "103", key: str | None = None
) -> dict[str, object]:
    """Send a push as the carrier would."""
    ours = settings().kdniao
    text = json.dumps(
        {"EBusinessID": ours.ebusiness_id, "PushTime": "2026-03-02 09:00:00", "Count": "1", "Data": [item]}
    )
    form = {"RequestData": text, "RequestType": kind, "DataSign": wire.sign(text, key or ours.api_key)}
    answer = requests.post(
        f"{bureau.town.base_url}/callbacks/courier/kdniao", data=urlencode(form), timeout=10,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert answer.status_code == 200
    told: dict[str, object] = answer.json()
    return told


def fetched(parcel_id: str, at: str = "2026-03-02 09:00:00") -> dict[str, object]:
    return {"OrderCode": order_code(parcel_id), "State": "301", "CreateTime": at, "TotalFee": 12.0}


def verdicts(subject: str) -> list[str]:
    return [
        row[0]
        for row in rows("SELECT verdict FROM store_notice WHERE subject = :s ORDER BY number", s=subject)
    ]


def test_originals_travel_to_the_department(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, *WHOLE_ROAD, wait_for="delivered")
    assert events_of(citizen.case_id) == ["ParcelOrdered", "ParcelCollected", "ParcelDelivered"]
    shown = bureau.get(f"/mp/v1/parcels/{parcel_id}", citizen.token).body
    assert [step["holder"] for step in shown["custody"]] == ["citizen", "carrier", "department"]
    assert shown["parcel"]["fee_fen"] == 1200
    assert shown["parcel"]["waybill_no"]
    assert len(shown["traces"]) >= len(WHOLE_ROAD)


@pytest.mark.parametrize("kind", ["duplicate", "reorder"])
def test_repeated_and_reordered_pushes_end_the_same(bureau: Bureau, citizen: Citizen, kind: str) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.fault("*", kind, 4)
    bureau.carrier_does(parcel_id, *WHOLE_ROAD, wait_for="delivered")
    assert events_of(citizen.case_id).count("ParcelDelivered") == 1
    assert events_of(citizen.case_id).count("ParcelCollected") == 1


def test_a_forged_push_changes_nothing(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    assert push(bureau, fetched(parcel_id), key="guessed")["Success"] is False
    assert state_of(parcel_id) == "ordered"
    assert verdicts(order_code(parcel_id)) == []


def test_a_replayed_push_is_thanked_and_ignored(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    for _ in range(3):
        assert push(bureau, fetched(parcel_id))["Success"] is True
    assert verdicts(order_code(parcel_id)) == ["used"]
    assert events_of(citizen.case_id) == ["ParcelOrdered", "ParcelCollected"]


def test_news_of_an_unknown_order_is_kept(bureau: Bureau) -> None:
    assert push(bureau, {"OrderCode": "ZBSTRANGER", "State": "301"})["Success"] is True
    assert verdicts("ZBSTRANGER") == ["unknown"]


def test_a_waybill_without_an_order_code_finds_its_parcel(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    push(bureau, fetched(parcel_id) | {"ShipperCode": "EMS", "LogisticCode": f"1{parcel_id[-10:]}"})
    line = {"AcceptTime": "2026-03-02 10:00:00", "AcceptStation": "发往亳州", "Action": "2"}
    item: dict[str, object] = {
        "ShipperCode": "EMS",
        "LogisticCode": f"1{parcel_id[-10:]}",
        "State": "2",
        "Traces": [line],
    }
    assert push(bureau, item, "101")["Success"] is True
    assert state_of(parcel_id) == "in_transit"


def test_the_carrier_may_outrun_its_own_answer(bureau: Bureau, citizen: Citizen) -> None:
    bureau.fault("1801", "5xx_after")
    parcel_id = str(bureau.order_pickup(citizen).body["id"])
    bureau.carrier_does(parcel_id, "courier", wait_for="assigned")
    assert events_of(citizen.case_id) == ["ParcelOrdered"]


def test_a_corrected_fee_is_a_fact_of_its_own(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    push(bureau, fetched(parcel_id))
    push(bureau, fetched(parcel_id) | {"State": "208", "TotalFee": 15.5})
    told = rows(
        "SELECT facts FROM store_journal WHERE subject = :id AND trigger = 'fee_told' ORDER BY seq",
        id=parcel_id,
    )
    assert [row[0] for row in told] == [
        {"fee_fen": 1200, "before_fen": None},
        {"fee_fen": 1550, "before_fen": 1200},
    ]


def test_silent_parcels_are_asked_about(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "courier", "collected", wait_for="collected")
    bureau.all_delivered(parcel_id)
    bureau.fault("*", "drop", 20)
    bureau.carrier_does(parcel_id, "in_transit", "out_for_delivery", "signed")
    bureau.all_delivered(parcel_id)
    exhaust(tasks.poll_tracks)
    assert state_of(parcel_id) == "collected"
    clock.advance(timedelta(minutes=31))
    exhaust(tasks.poll_tracks)
    assert state_of(parcel_id) == "delivered"


def test_a_parcel_whose_every_push_was_lost_is_found(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.all_delivered(parcel_id)
    bureau.fault("*", "drop", 20)
    bureau.carrier_does(parcel_id, "courier", "collected", "in_transit", "signed")
    bureau.all_delivered(parcel_id)
    clock.advance(timedelta(minutes=31))
    exhaust(tasks.poll_tracks)
    assert state_of(parcel_id) == "delivered"
    assert run_unit(lambda u: courier.parcel(u, parcel_id)).waybill_no


def test_each_parcel_is_asked_about_sparingly(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    for minutes in (31, 5, 5, 25):
        clock.advance(timedelta(minutes=minutes))
        exhaust(tasks.poll_tracks)
    asked = rows("SELECT polled_at - created_at FROM courier_parcel WHERE id = :id", id=parcel_id)
    assert timedelta(minutes=60) < asked[0][0] < timedelta(minutes=70)


def test_traces_are_dropped_after_ninety_days(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {})
    clock.advance(timedelta(days=91))
    exhaust(tasks.forget_contacts)
    assert rows("SELECT 1 FROM courier_trace WHERE parcel_id = :id", id=parcel_id) == []


def test_a_carrier_that_wants_the_phone_tail_gets_it(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    control = {"order_code": order_code(parcel_id), "to": "reassigned", "shipper": "SF"}
    bureau.town.control("/kdniao/advance", control)
    bureau.carrier_does(parcel_id, "collected", wait_for="collected")
    bureau.all_delivered(parcel_id)
    bureau.fault("*", "drop", 20)
    bureau.carrier_does(parcel_id, "in_transit")
    bureau.all_delivered(parcel_id)
    clock.advance(timedelta(minutes=31))
    exhaust(tasks.poll_tracks)
    assert state_of(parcel_id) == "in_transit"


def test_a_carrier_that_calls_off_leaves_the_choice(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "cancelled", wait_for="troubled")
    answer = bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {})
    assert answer.body["state"] == "cancelled"
    assert bureau.pickup(citizen) != parcel_id


def test_news_of_a_cancelled_parcel_is_kept_as_impossible(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {})
    push(bureau, fetched(parcel_id))
    assert state_of(parcel_id) == "cancelled"
    assert verdicts(order_code(parcel_id)) == ["impossible"]


def test_a_refused_parcel_travels_back(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "collected", "in_transit", "refused", wait_for="returning")
    bureau.carrier_does(parcel_id, "returned", wait_for="returned")
    pieces = run_unit(lambda u: courier.parcel(u, parcel_id)).pieces
    assert {piece.state for piece in pieces} == {"returned"}


def test_parcels_without_news_are_warned_of_once(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "collected", wait_for="collected")
    clock.advance(timedelta(days=4))
    exhaust(tasks.warn_late)
    assert events_of(citizen.case_id).count("ParcelTroubled") == 1
    assert state_of(parcel_id) == "collected"


def test_the_label_is_forgotten_a_week_after_the_end(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {})
    exhaust(tasks.forget_contacts)
    assert run_unit(lambda u: courier.parcel(u, parcel_id)).contact
    clock.advance(timedelta(days=8))
    exhaust(tasks.forget_contacts)
    assert run_unit(lambda u: courier.parcel(u, parcel_id)).contact == ""


def test_only_the_citizen_reads_the_couriers_number(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "courier", wait_for="assigned")
    mine = bureau.get(f"/mp/v1/parcels/{parcel_id}", citizen.token).body
    told = bureau.get(f"/dept/v1/parcels/{parcel_id}", bureau.clerk())
    assert told.status == 200, told
    theirs = told.body
    assert "13900000999" in str(mine["traces"])
    assert "13900000999" not in str(theirs["traces"])
