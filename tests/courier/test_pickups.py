"""A citizen has originals fetched: ordered once, called off in time, healed when the carrier stays silent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import courier
from backend.kernel import ids
from backend.runtime import outbound
from backend.store.unit import run_unit
from courier import tasks
from courier.services import ordering
from tests.courier.makers import (
    DEPARTMENT,
    ORIGINAL,
    Bureau,
    Citizen,
    age_orders,
    events_of,
    order_code,
    rows,
    state_of,
)
from tests.support import key


def codes_of(parcel_id: str) -> list[str]:
    found = rows("SELECT code FROM courier_order WHERE parcel_id = :id ORDER BY number", id=parcel_id)
    return [row[0] for row in found]


def known_to_carrier(bureau: Bureau, codes: list[str]) -> list[str]:
    remembered = str(bureau.town.books("kdniao"))
    return [code for code in codes if code in remembered]


def the_parcel(citizen: Citizen) -> str:
    return run_unit(lambda u: courier.parcels_of(u, citizen.case_id))[-1].id


def wish_again(citizen: Citizen, wish_key: str) -> courier.ParcelView:
    return run_unit(
        lambda u: courier.wish_pickup(
            u, matter=citizen.case_id, person_id=citizen.person_id, department_id=DEPARTMENT,
            address_id=citizen.address_id, pieces=[courier.PieceWish(ORIGINAL)], by=citizen.actor, key=wish_key,
        )
    )  # fmt: skip


def test_a_pickup_is_ordered_at_once(bureau: Bureau, citizen: Citizen) -> None:
    answer = bureau.order_pickup(citizen)
    assert answer.status == 201, answer
    assert (answer.body["state"], answer.body["holder"]) == ("ordered", "citizen")
    assert [piece["name"] for piece in answer.body["pieces"]] == [ORIGINAL]
    assert events_of(citizen.case_id) == ["ParcelOrdered"]


def test_the_label_is_masked_for_everybody(bureau: Bureau, citizen: Citizen) -> None:
    shown = bureau.get(f"/mp/v1/parcels/{bureau.pickup(citizen)}", citizen.token)
    assert "****" in str(shown.body)
    assert "9号楼" not in str(shown.body)


def test_a_second_pickup_waits_for_the_first(bureau: Bureau, citizen: Citizen) -> None:
    bureau.pickup(citizen)
    again = bureau.order_pickup(citizen)
    assert (again.status, again.slug) == (409, "pickup-already-open")


def test_of_two_pickups_at_once_one_wins(bureau: Bureau, citizen: Citizen) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: bureau.order_pickup(citizen), range(4)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
    assert {answer.slug for answer in answers if answer.status == 409} == {"pickup-already-open"}


def test_the_same_key_orders_only_once(bureau: Bureau, citizen: Citizen) -> None:
    path, body, same = f"/mp/v1/cases/{citizen.case_id}/parcels", {"address_id": citizen.address_id}, key()
    first = bureau.post(path, citizen.token, body, same)
    second = bureau.post(path, citizen.token, body, same)
    assert first == second
    assert len(codes_of(first.body["id"])) == 1


def test_a_key_repeated_after_a_crash_finds_its_parcel(bureau: Bureau, citizen: Citizen) -> None:
    wish_key = ids.token()
    assert wish_again(citizen, wish_key).id == wish_again(citizen, wish_key).id
    with pytest.raises(courier.PickupAlreadyOpen):
        wish_again(citizen, ids.token())


def test_someone_elses_case_looks_absent(bureau: Bureau, citizen: Citizen) -> None:
    stranger = bureau.citizen()
    path = f"/mp/v1/cases/{citizen.case_id}/parcels"
    assert bureau.post(path, stranger.token, {"address_id": stranger.address_id}).status == 404
    assert bureau.get(path, stranger.token).status == 404


def test_someone_elses_address_looks_absent(bureau: Bureau, citizen: Citizen) -> None:
    answer = bureau.order_pickup(citizen, address_id=bureau.citizen().address_id)
    assert answer.status == 404
    assert rows("SELECT 1 FROM courier_parcel WHERE matter = :m", m=citizen.case_id) == []


def test_someone_elses_parcel_looks_absent(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, stranger = bureau.pickup(citizen), bureau.citizen()
    assert bureau.get(f"/mp/v1/parcels/{parcel_id}", stranger.token).status == 404
    assert bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", stranger.token, {}).status == 404


def test_a_case_without_originals_takes_no_parcel(bureau: Bureau) -> None:
    answer = bureau.order_pickup(bureau.citizen(originals=False))
    assert (answer.status, answer.slug) == (409, "mail-not-allowed")


def test_a_piece_the_case_does_not_await_is_refused(bureau: Bureau, citizen: Citizen) -> None:
    answer = bureau.order_pickup(citizen, pieces=["结婚证"])
    assert answer.status == 422
    assert answer.body["errors"][0]["field"] == "pieces"


@pytest.mark.parametrize(
    "body", [{"address_id": 5}, {"surprise": 1}, {"delivery": "drone"}, {"pieces": []}, {"address_id": None}]
)
def test_a_malformed_wish_is_refused(bureau: Bureau, citizen: Citizen, body: dict[str, object]) -> None:
    assert bureau.order_pickup(citizen, **body).status == 422


def test_a_carrier_that_says_no_is_quoted(bureau: Bureau) -> None:
    citizen = bureau.citizen(address="超区测试街道1号")
    answer = bureau.order_pickup(citizen)
    assert (answer.status, answer.slug) == (422, "carrier-refused")
    assert state_of(the_parcel(citizen)) == "cancelled"
    assert events_of(citizen.case_id) == ["ParcelCancelled"]


def test_an_order_whose_answer_was_lost_is_found(bureau: Bureau, citizen: Citizen) -> None:
    bureau.fault("1801", "5xx_after")
    answer = bureau.order_pickup(citizen)
    assert (answer.status, answer.body["state"]) == (201, "created")
    age_orders(timedelta(seconds=20))
    parcel_id = answer.body["id"]
    tasks.place_orders()
    assert state_of(parcel_id) == "created"
    tasks.sweep_orders()
    assert state_of(parcel_id) == "ordered"
    assert known_to_carrier(bureau, codes_of(parcel_id)) == codes_of(parcel_id)
    assert len(codes_of(parcel_id)) == 1


def test_an_order_that_never_arrived_gets_a_new_code(bureau: Bureau, citizen: Citizen) -> None:
    bureau.fault("1801", "5xx")
    parcel_id = str(bureau.order_pickup(citizen).body["id"])
    age_orders(timedelta(minutes=2))
    tasks.sweep_orders()
    tasks.place_orders()
    assert state_of(parcel_id) == "ordered"
    lost, found = codes_of(parcel_id)
    assert known_to_carrier(bureau, [lost, found]) == [found]


def test_never_heard_of_it_is_not_believed_at_once(bureau: Bureau, citizen: Citizen) -> None:
    bureau.fault("1801", "5xx")
    parcel_id = str(bureau.order_pickup(citizen).body["id"])
    tasks.sweep_orders()
    tasks.place_orders()
    assert len(codes_of(parcel_id)) == 1


def test_a_crash_before_the_call_is_healed(bureau: Bureau, citizen: Citizen) -> None:
    parcel = wish_again(citizen, "")
    run_unit(lambda u: ordering._write_down(u, parcel.id))
    tasks.place_orders()
    assert state_of(parcel.id) == "created"
    age_orders(timedelta(minutes=2))
    tasks.sweep_orders()
    tasks.place_orders()
    assert state_of(parcel.id) == "ordered"


def test_an_unreachable_carrier_is_tried_again(bureau: Bureau, citizen: Citizen) -> None:
    for _ in range(outbound.FAILURES_TO_OPEN):
        outbound.breaker("kdniao").note(well=False)
    parcel_id = str(bureau.order_pickup(citizen).body["id"])
    assert state_of(parcel_id) == "created"
    outbound.reset_breakers()
    age_orders(timedelta(minutes=2))
    tasks.place_orders()
    assert state_of(parcel_id) == "ordered"


def test_a_busy_carrier_is_tried_again(bureau: Bureau, citizen: Citizen) -> None:
    bureau.fault("1801", "refuse")
    parcel_id = str(bureau.order_pickup(citizen).body["id"])
    assert state_of(parcel_id) == "created"
    age_orders(timedelta(minutes=2))
    tasks.place_orders()
    assert state_of(parcel_id) == "ordered"


def test_a_pickup_is_called_off_in_time(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    answer = bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {"reason": "wrong_address"})
    assert (answer.status, answer.body["state"]) == (200, "cancelled")
    assert events_of(citizen.case_id) == ["ParcelOrdered", "ParcelCancelled"]
    again = bureau.pickup(citizen)
    assert order_code(again) != order_code(parcel_id)


def test_calling_off_twice_changes_nothing(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    for _ in range(2):
        assert bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {}).status == 200
    assert events_of(citizen.case_id).count("ParcelCancelled") == 1


def test_a_collected_parcel_cannot_be_called_off(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.carrier_does(parcel_id, "courier", "collected", wait_for="collected")
    answer = bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {})
    assert (answer.status, answer.slug) == (409, "parcel-already-collected")


def test_the_carrier_may_say_it_is_too_late(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.fault("*", "drop", 9)
    bureau.carrier_does(parcel_id, "collected")
    bureau.all_delivered(parcel_id)
    answer = bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {})
    assert (answer.status, answer.slug) == (409, "parcel-already-collected")
    assert state_of(parcel_id) == "ordered"


def test_a_cancellation_whose_answer_was_lost_is_finished(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.pickup(citizen)
    bureau.fault("1802", "5xx_after")
    answer = bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {})
    assert (answer.status, answer.body["state"]) == (200, "ordered")
    tasks.sweep_orders()
    assert state_of(parcel_id) == "cancelled"


def test_a_wish_to_cancel_outlives_an_unknown_order(bureau: Bureau, citizen: Citizen) -> None:
    bureau.fault("1801", "5xx_after")
    parcel_id = str(bureau.order_pickup(citizen).body["id"])
    assert bureau.post(f"/mp/v1/parcels/{parcel_id}/cancel", citizen.token, {}).body["state"] == "created"
    age_orders(timedelta(seconds=20))
    tasks.sweep_orders()
    tasks.sweep_orders()
    assert state_of(parcel_id) == "cancelled"
