"""The journeys of `make demo`, through the same doors, with the books in order at the end."""

from backend.cli.care import all_findings
from backend.store.unit import run_unit
from demo import exam_by_draw, money_back, new_home, parking_fine, vehicle_licence
from demo.world import World


def test_a_new_home_is_registered_from_login_to_certificate(world: World) -> None:
    before = run_unit(all_findings)
    new_home.play(world)
    assert set(run_unit(all_findings)) <= set(before)


def test_a_damaged_vehicle_licence_travels_in_and_out(world: World) -> None:
    before = run_unit(all_findings)
    vehicle_licence.play(world)
    assert set(run_unit(all_findings)) <= set(before)


def test_a_parking_fine_is_found_paid_and_receipted(world: World) -> None:
    before = run_unit(all_findings)
    parking_fine.play(world)
    assert set(run_unit(all_findings)) <= set(before)


def test_exam_places_are_drawn_passed_on_and_moved(world: World) -> None:
    before = run_unit(all_findings)
    exam_by_draw.play(world)
    assert set(run_unit(all_findings)) <= set(before)


def test_money_goes_wrong_and_comes_right(world: World) -> None:
    before = run_unit(all_findings)
    money_back.play(world)
    assert set(run_unit(all_findings)) <= set(before)
