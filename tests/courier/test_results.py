"""Results travel home: packed by the department, carried, handed over with a code, or fetched at the window."""

from datetime import timedelta

import pytest

import courier
from backend.contracts import CaseFinished
from backend.kernel import clock
from backend.store.unit import run_unit
from courier import tasks
from tests.courier.makers import Bureau, Citizen, events_of, exhaust, rows, state_of, tell, until

LICENCE = "机动车行驶证"


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def sent(bureau: Bureau, citizen: Citizen) -> str:
    """A result on its way with the carrier."""
    parcel_id = bureau.result_for(citizen, "courier")
    assert bureau.dispatch(citizen, LICENCE).status == 200
    tasks.place_orders()
    bureau.carrier_does(parcel_id, "collected", "in_transit", wait_for="in_transit")
    return parcel_id


def at_window(bureau: Bureau, citizen: Citizen) -> str:
    parcel_id = bureau.result_for(citizen, "window")
    assert bureau.dispatch(citizen, LICENCE).body["state_label"] == "待领取"
    return parcel_id


def code_for(bureau: Bureau, citizen: Citizen, parcel_id: str) -> str:
    answer = bureau.get(f"/mp/v1/parcels/{parcel_id}/handover-code", citizen.token)
    assert answer.status == 200, answer
    return str(answer.body["code"])


def give_out(bureau: Bureau, parcel_id: str, **body: str) -> tuple[int, str]:
    answer = bureau.post(f"/dept/v1/parcels/{parcel_id}/hand-over", bureau.clerk(), body)
    return answer.status, answer.body.get("state") or answer.slug


def test_a_result_waits_until_it_is_packed(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.result_for(citizen, "courier")
    tasks.place_orders()
    assert state_of(parcel_id) == "created"
    assert bureau.dispatch(citizen, LICENCE).body["packed"] is True
    tasks.place_orders()
    assert state_of(parcel_id) == "ordered"


def test_a_result_travels_home_with_the_carrier(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = sent(bureau, citizen)
    bureau.carrier_does(parcel_id, "out_for_delivery", "signed", wait_for="delivered")
    parcel = run_unit(lambda u: courier.parcel(u, parcel_id))
    assert (parcel.holder, parcel.receipt_doubt, parcel.pieces[0].state) == ("citizen", None, "received")
    assert [step.holder for step in run_unit(lambda u: courier.custody_of(u, parcel_id))] == [
        "department",
        "carrier",
        "citizen",
    ]


def test_an_empty_parcel_is_not_sent(bureau: Bureau, citizen: Citizen) -> None:
    bureau.result_for(citizen, "courier")
    assert bureau.dispatch(citizen).status == 422


def test_nothing_is_dispatched_before_a_result(bureau: Bureau, citizen: Citizen) -> None:
    assert bureau.dispatch(citizen, LICENCE).slug == "nothing-to-dispatch"


def test_a_result_is_dispatched_once(bureau: Bureau, citizen: Citizen) -> None:
    sent(bureau, citizen)
    assert bureau.dispatch(citizen, LICENCE).slug == "nothing-to-dispatch"


def test_a_finished_case_heard_twice_makes_one_parcel(bureau: Bureau, citizen: Citizen) -> None:
    for _ in range(2):
        bureau.result_for(citizen, "courier")
    assert len(run_unit(lambda u: courier.parcels_of(u, citizen.case_id))) == 1


def test_an_electronic_result_needs_no_parcel(bureau: Bureau, citizen: Citizen) -> None:
    tell(courier.on_case_finished, CaseFinished(citizen.case_id, citizen.person_id, "e_licence"))
    assert run_unit(lambda u: courier.parcels_of(u, citizen.case_id)) == ()


@pytest.mark.parametrize(("step", "doubt"), [("signed_by_other", "other"), ("picked_from_locker", "locker")])
def test_a_foreign_signature_raises_a_check(bureau: Bureau, citizen: Citizen, step: str, doubt: str) -> None:
    parcel_id = sent(bureau, citizen)
    bureau.carrier_does(parcel_id, step, wait_for="delivered")
    until(lambda: run_unit(lambda u: courier.parcel(u, parcel_id)).receipt_doubt == doubt)
    assert events_of(citizen.case_id)[-1] == "ParcelTroubled"
    answer = bureau.post(f"/dept/v1/parcels/{parcel_id}/receipt", bureau.clerk(), {"holder_has_it": True})
    assert answer.body["receipt_doubt"] == "settled"


def test_a_parcel_that_came_back_is_sent_again(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = sent(bureau, citizen)
    bureau.carrier_does(parcel_id, "refused", wait_for="returning")
    assert bureau.post(f"/dept/v1/parcels/{parcel_id}/receive", bureau.clerk()).body["state"] == "returned"
    assert bureau.dispatch(citizen).body["pieces"][0]["name"] == LICENCE
    tasks.place_orders()
    again = run_unit(lambda u: courier.parcels_of(u, citizen.case_id))[-1]
    assert (again.id != parcel_id, again.state) == (True, "ordered")


def test_a_result_no_carrier_takes_is_tried_again(bureau: Bureau) -> None:
    citizen = bureau.citizen(address="超区测试街道2号")
    parcel_id = bureau.result_for(citizen, "courier")
    bureau.dispatch(citizen, LICENCE)
    tasks.place_orders()
    assert state_of(parcel_id) == "troubled"
    assert bureau.dispatch(citizen).body["state"] == "created"


def test_a_second_try_calls_the_first_order_off(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = bureau.result_for(citizen, "courier")
    bureau.dispatch(citizen, LICENCE)
    tasks.place_orders()
    bureau.carrier_does(parcel_id, "fake_collection", wait_for="troubled")
    assert bureau.dispatch(citizen).body["state"] == "created"
    tasks.sweep_orders()
    tasks.place_orders()
    orders = rows("SELECT state FROM courier_order WHERE parcel_id = :id ORDER BY number", id=parcel_id)
    assert [row[0] for row in orders] == ["dropped", "placed"]


def test_a_finished_case_heard_late_makes_no_second_parcel(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = sent(bureau, citizen)
    assert bureau.result_for(citizen, "courier") == parcel_id


def test_a_result_is_fetched_with_its_code(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = at_window(bureau, citizen)
    code = code_for(bureau, citizen, parcel_id)
    assert give_out(bureau, parcel_id, code=code) == (200, "delivered")
    assert "ParcelDelivered" in events_of(citizen.case_id)
    given = rows("SELECT given_to FROM courier_handover WHERE parcel_id = :id", id=parcel_id)
    assert given[0][0] == "holder"


def test_looking_twice_shows_the_same_code(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = at_window(bureau, citizen)
    assert code_for(bureau, citizen, parcel_id) == code_for(bureau, citizen, parcel_id)


def test_an_old_code_no_longer_opens(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = at_window(bureau, citizen)
    code = code_for(bureau, citizen, parcel_id)
    clock.advance(timedelta(hours=3))
    assert give_out(bureau, parcel_id, code=code) == (422, "wrong-handover-code")
    assert code_for(bureau, citizen, parcel_id) != code


def test_five_wrong_codes_lock_until_staff_help(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = at_window(bureau, citizen)
    code = code_for(bureau, citizen, parcel_id)
    tries = [give_out(bureau, parcel_id, code=wrong(code))[1] for _ in range(5)]
    assert tries == ["wrong-handover-code"] * 4 + ["handover-locked"]
    assert give_out(bureau, parcel_id, code=code) == (409, "handover-locked")
    assert bureau.get(f"/mp/v1/parcels/{parcel_id}/handover-code", citizen.token).slug == "handover-locked"
    assert bureau.post(f"/dept/v1/parcels/{parcel_id}/unlock-code", bureau.clerk()).status == 200
    assert give_out(bureau, parcel_id, code=code_for(bureau, citizen, parcel_id)) == (200, "delivered")


def test_a_clerk_may_trust_an_identity_card(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = at_window(bureau, citizen)
    assert give_out(bureau, parcel_id)[0] == 422
    assert give_out(bureau, parcel_id, id_seen_of="agent") == (200, "delivered")


def test_only_the_holder_sees_the_code(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id, stranger = at_window(bureau, citizen), bureau.citizen()
    assert bureau.get(f"/mp/v1/parcels/{parcel_id}/handover-code", stranger.token).status == 404


def test_a_parcel_of_the_post_has_no_code(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = sent(bureau, citizen)
    assert bureau.get(f"/mp/v1/parcels/{parcel_id}/handover-code", citizen.token).slug == "no-handover"


def test_a_result_left_at_the_window_is_reminded_of(bureau: Bureau, citizen: Citizen) -> None:
    at_window(bureau, citizen)
    clock.advance(timedelta(days=16))
    exhaust(tasks.warn_late)
    assert events_of(citizen.case_id)[-1] == "ParcelTroubled"


def test_words_for_messages_are_ready(bureau: Bureau, citizen: Citizen) -> None:
    parcel_id = at_window(bureau, citizen)
    facts = run_unit(lambda u: courier.facts_for(u, parcel_id))
    assert (facts["what"], facts["where"]) == ("办理结果", "待领取")
    assert parcel_id in facts["code_link"]
