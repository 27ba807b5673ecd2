"""Our own riders: each sees their own tasks, as little of a person as needed, and nothing after delivery."""

from typing import Any

import pytest

import courier
from backend.store.unit import run_unit
from courier import tasks
from tests.courier.makers import ORIGINAL, Answer, Bureau, Citizen, events_of, rows, state_of
from tests.courier.test_results import LICENCE, code_for, wrong


def task_for(bureau: Bureau, citizen: Citizen) -> str:
    """A result that waits in the pool."""
    parcel_id = bureau.result_for(citizen, "rider")
    bureau.dispatch(citizen, LICENCE)
    tasks.place_orders()
    assert state_of(parcel_id) == "ordered"
    return parcel_id


def do(bureau: Bureau, rider: str, parcel_id: str, what: str, body: Any = None) -> Answer:
    return bureau.post(f"/courier/v1/tasks/{parcel_id}/{what}", rider, body)


def collected(bureau: Bureau, citizen: Citizen) -> tuple[str, str]:
    """A rider with a result in the bag."""
    parcel_id, rider = task_for(bureau, citizen), bureau.rider()
    do(bureau, rider, parcel_id, "take")
    answer = do(bureau, rider, parcel_id, "collected", {"pieces": [{"name": LICENCE}]})
    assert answer.status == 200, answer
    return parcel_id, rider


def test_a_rider_carries_a_result_home(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = collected(bureau, citizen)
    assert do(bureau, rider, parcel_id, "set-out").body["state"] == "out_for_delivery"
    code = code_for(bureau, citizen, parcel_id)
    assert do(bureau, rider, parcel_id, "hand-over", {"code": code}).status == 204
    assert state_of(parcel_id) == "delivered"
    assert events_of(citizen.case_id) == ["ParcelOrdered", "ParcelCollected", "ParcelDelivered"]


def test_a_rider_fetches_originals(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = bureau.pickup(citizen, delivery="rider"), bureau.rider()
    do(bureau, rider, parcel_id, "take")
    do(bureau, rider, parcel_id, "collected", {"pieces": [{"name": ORIGINAL}]})
    received = bureau.post(f"/dept/v1/parcels/{parcel_id}/receive", bureau.clerk())
    assert received.body["state"] == "delivered"


def test_a_failed_pickup_is_tried_again(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = bureau.pickup(citizen, delivery="rider"), bureau.rider()
    do(bureau, rider, parcel_id, "take")
    assert do(bureau, rider, parcel_id, "failed", {"reason": "absent"}).body["state"] == "troubled"
    answer = do(bureau, rider, parcel_id, "collected", {"pieces": [{"name": ORIGINAL}]})
    assert answer.body["state"] == "collected"


def test_a_task_shows_masked_people(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = task_for(bureau, citizen), bureau.rider()
    shown = do(bureau, rider, parcel_id, "take").body
    assert "*" in shown["name"]
    assert "****" in shown["phone"]
    assert "9号楼" not in str(shown)
    assert citizen.case_id not in str(shown)


def test_a_look_at_the_address_is_written_down(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = task_for(bureau, citizen), bureau.rider()
    assert do(bureau, rider, parcel_id, "contact").status == 404
    do(bureau, rider, parcel_id, "take")
    assert "9号楼" in do(bureau, rider, parcel_id, "contact").body["address"]
    looks = rows(
        "SELECT 1 FROM people_access_log WHERE person_id = :p AND what = 'address'", p=citizen.person_id
    )
    assert len(looks) == 1


def test_numbers_typed_into_a_place_are_not_kept(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = collected(bureau, citizen)
    assert do(bureau, rider, parcel_id, "place", {"place": "门卫 13812345678 代看"}).status == 200
    (told,) = rows("SELECT place FROM courier_trace WHERE parcel_id = :p AND place <> ''", p=parcel_id)
    assert told[0] == "门卫 138****5678 代看"


def test_access_ends_with_delivery(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = collected(bureau, citizen)
    do(bureau, rider, parcel_id, "hand-over", {"code": code_for(bureau, citizen, parcel_id)})
    assert bureau.get(f"/courier/v1/tasks/{parcel_id}", rider).status == 404
    assert do(bureau, rider, parcel_id, "contact").status == 404
    assert bureau.get("/courier/v1/tasks", rider).body["items"] == []


def test_a_colleagues_task_looks_absent(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, _rider = collected(bureau, citizen)
    colleague = bureau.rider()
    assert bureau.get(f"/courier/v1/tasks/{parcel_id}", colleague).status == 404
    for what, body in {
        "take": None,
        "contact": None,
        "set-out": None,
        "hand-over": {"code": "123456"},
    }.items():
        assert do(bureau, colleague, parcel_id, what, body).status == 404


def test_a_task_is_taken_by_one_rider(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, first, second = task_for(bureau, citizen), bureau.rider(), bureau.rider()
    pool = bureau.get("/courier/v1/tasks?pool=true", first).body["items"]
    assert parcel_id in {task["id"] for task in pool}
    assert do(bureau, first, parcel_id, "take").status == 200
    assert do(bureau, second, parcel_id, "take").status == 404


@pytest.mark.parametrize("pieces", [[{"name": "别的"}], [{"name": LICENCE, "copies": 2}]])
def test_a_list_that_differs_is_not_collected(bureau: Bureau, citizen: Citizen, pieces: list[Any]) -> None:
    parcel_id, rider = task_for(bureau, citizen), bureau.rider()
    do(bureau, rider, parcel_id, "take")
    answer = do(bureau, rider, parcel_id, "collected", {"pieces": pieces})
    assert (answer.status, answer.slug) == (422, "pieces-differ")
    assert state_of(parcel_id) == "assigned"


def test_a_wrong_code_is_counted_though_refused(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = collected(bureau, citizen)
    code = code_for(bureau, citizen, parcel_id)
    answers = [do(bureau, rider, parcel_id, "hand-over", {"code": wrong(code)}) for _ in range(5)]
    assert [answer.status for answer in answers] == [422] * 4 + [409]
    assert answers[0].body["tries_left"] == 4
    assert do(bureau, rider, parcel_id, "hand-over", {"code": code}).status == 409


def test_no_code_works_before_the_parcel_is_fetched(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = task_for(bureau, citizen), bureau.rider()
    do(bureau, rider, parcel_id, "take")
    code = code_for(bureau, citizen, parcel_id)
    assert do(bureau, rider, parcel_id, "hand-over", {"code": code}).slug == "no-handover"


def test_a_failed_delivery_is_tried_again(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = collected(bureau, citizen)
    do(bureau, rider, parcel_id, "set-out")
    assert do(bureau, rider, parcel_id, "failed", {"reason": "absent"}).body["state"] == "troubled"
    assert do(bureau, rider, parcel_id, "set-out").body["state"] == "out_for_delivery"
    assert events_of(citizen.case_id)[-1] == "ParcelTroubled"


def test_a_refused_parcel_goes_back_to_the_department(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = collected(bureau, citizen)
    assert do(bureau, rider, parcel_id, "failed", {"reason": "refused"}).body["state"] == "returning"
    assert bureau.post(f"/dept/v1/parcels/{parcel_id}/receive", bureau.clerk()).body["state"] == "returned"


def test_a_place_is_noted_and_moves_nothing(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, rider = collected(bureau, citizen)
    assert do(bureau, rider, parcel_id, "place", {"place": "城关邮政所"}).body["state"] == "collected"
    shown = run_unit(lambda u: courier.parcel_detail(u, parcel_id, person_id=citizen.person_id))
    assert shown.traces[-1].place == "城关邮政所"


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("failed", {"reason": "心情不好"}),
        ("hand-over", {"code": "12345"}),
        ("hand-over", {"code": "12345a"}),
        ("collected", {"pieces": []}),
        ("place", {"place": ""}),
        ("place", {"spot": "x"}),
    ],
)
def test_a_malformed_report_is_refused(bureau: Bureau, citizen: Citizen, what: str, body: Any) -> None:
    parcel_id, rider = collected(bureau, citizen)
    assert do(bureau, rider, parcel_id, what, body).status == 422


def test_a_citizens_token_opens_no_couriers_window(bureau: Bureau, citizen: Citizen) -> None:
    assert bureau.get("/courier/v1/tasks", citizen.token).status == 401
    assert bureau.get("/courier/v1/tasks", "").status == 401
