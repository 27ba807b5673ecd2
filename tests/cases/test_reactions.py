"""News from couriers and the booking office: originals that travel, results that arrive, visits."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from backend import cases, people
from backend.cases import tasks
from backend.contracts import (
    BookingCheckedIn,
    BookingConfirmed,
    BookingMissed,
    ParcelCancelled,
    ParcelChecked,
    ParcelCollected,
    ParcelDelivered,
    ParcelEvent,
    ParcelOrdered,
)
from backend.kernel import clock, ids
from backend.store.unit import run_unit, unit
from tests.cases import makers
from tests.cases.makers import HOME, LICENCE, citizen, file_case, officer

pytestmark = pytest.mark.usefixtures("items")
BOSS = officer()


def mailed() -> tuple[str, str]:
    """A case whose second material travels by mail."""
    with unit() as u:
        who = makers.make_citizen(u)
        whole = makers.application(u, who, LICENCE)
        given = (
            whole.materials[0],
            replace(whole.materials[2], mode="mail"),
            *whole.materials[3:],
            whole.materials[1],
        )
        receipt = cases.submit_case(u, replace(whole, materials=given), citizen(who))
    return receipt.case_id, who


def seen(case_id: str, who: str) -> tuple[str, list[str]]:
    with unit() as u:
        progress = cases.progress_of(u, case_id, who)
    return progress.holder, [one.action for one in progress.actions]


def inbound(kind: type[ParcelEvent], case_id: str, who: str, **more: bool) -> None:
    event = kind(case_id, who, "par-x", "inbound", **more)
    ears: dict[type[ParcelEvent], Any] = {
        ParcelOrdered: cases.on_parcel_ordered,
        ParcelCancelled: cases.on_parcel_cancelled,
        ParcelCollected: cases.on_parcel_collected,
        ParcelDelivered: cases.on_parcel_delivered,
        ParcelChecked: cases.on_parcel_checked,
    }
    run_unit(lambda u: ears[kind](u, event))


def test_the_ball_travels_with_the_originals() -> None:
    case_id, who = mailed()
    assert seen(case_id, who) == ("citizen", ["order_pickup", "withdraw"])
    inbound(ParcelOrdered, case_id, who)
    assert seen(case_id, who) == ("citizen", ["withdraw"])
    inbound(ParcelCancelled, case_id, who)
    assert seen(case_id, who)[1][0] == "order_pickup"
    inbound(ParcelCollected, case_id, who)
    assert seen(case_id, who)[0] == "courier"
    inbound(ParcelDelivered, case_id, who)
    assert seen(case_id, who)[0] == "department"


def test_nothing_is_accepted_before_the_originals_come() -> None:
    case_id, who = mailed()
    with pytest.raises(cases.OriginalsAwaited):
        run_unit(lambda u: cases.accept(u, case_id, BOSS))
    inbound(ParcelDelivered, case_id, who)
    inbound(ParcelChecked, case_id, who, complete=True)
    assert run_unit(lambda u: cases.accept(u, case_id, BOSS)).state == "accepted"
    with unit() as u:
        assert [paper.state for paper in cases.paper_originals(u, case_id, who)] == ["checked"]


def test_silence_accepts_nothing_whose_originals_never_came() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    case_id, who = mailed()
    clock.move_to(clock.at_local(date(2026, 11, 16), 10))
    tasks.deem_acceptance()
    with unit() as u:
        seen_now = cases.progress_of(u, case_id, who)
    assert (seen_now.state, seen_now.due) == ("submitted", None)


def test_the_term_of_silence_runs_from_the_day_the_originals_came() -> None:
    clock.move_to(clock.at_local(date(2026, 11, 2), 10))
    case_id, who = mailed()
    clock.move_to(clock.at_local(date(2026, 11, 16), 10))
    inbound(ParcelDelivered, case_id, who)
    clock.move_to(clock.at_local(date(2026, 11, 20), 10))
    inbound(ParcelChecked, case_id, who, complete=True)
    for day, state in ((23, "submitted"), (24, "accepted")):
        clock.move_to(clock.at_local(date(2026, 11, day), 12))
        tasks.deem_acceptance()
        with unit() as u:
            assert cases.progress_of(u, case_id, who).state == state


def test_a_case_opened_again_awaits_its_originals_anew() -> None:
    case_id, who = mailed()
    inbound(ParcelDelivered, case_id, who)
    inbound(ParcelChecked, case_id, who, complete=True)
    point = cases.Point("field", "building_area", "不一致", "请核对")
    run_unit(lambda u: cases.request_correction(u, case_id, BOSS, (point,)))
    clock.advance(timedelta(days=40))
    tasks.lapse_corrections()
    run_unit(lambda u: cases.reopen_case(u, case_id, who, citizen(who)))
    given = cases.CorrectionAnswer({"building_area": "99.00"})
    run_unit(lambda u: cases.answer_correction(u, case_id, who, given, citizen(who)))
    # They went home with the closing.
    with pytest.raises(cases.OriginalsAwaited):
        run_unit(lambda u: cases.accept(u, case_id, BOSS))
    assert seen(case_id, who) == ("citizen", ["order_pickup", "withdraw"])
    with unit() as u:
        assert [paper.state for paper in cases.paper_originals(u, case_id, who)] == ["awaited"]


def test_an_incomplete_parcel_goes_back_to_the_citizen() -> None:
    case_id, who = mailed()
    inbound(ParcelDelivered, case_id, who)
    inbound(ParcelChecked, case_id, who, complete=False)
    assert seen(case_id, who) == ("citizen", ["order_pickup", "withdraw"])


def test_late_news_of_a_parcel_changes_nothing() -> None:
    case_id, who = mailed()
    inbound(ParcelDelivered, case_id, who)
    inbound(ParcelChecked, case_id, who, complete=True)
    inbound(ParcelCollected, case_id, who)
    assert seen(case_id, who)[0] == "department"


def test_an_officer_may_tick_off_the_originals() -> None:
    case_id, who = mailed()
    inbound(ParcelDelivered, case_id, who)
    with unit() as u:
        paper = cases.paper_originals(u, case_id)[0]
    run_unit(lambda u: cases.confirm_materials(u, case_id, BOSS, (), (paper.material_id,)))
    assert seen(case_id, who)[0] == "citizen"
    run_unit(lambda u: cases.confirm_materials(u, case_id, BOSS, (paper.material_id,), ()))
    assert seen(case_id, who)[0] == "department"
    with pytest.raises(cases.MaterialUnknown):
        run_unit(lambda u: cases.confirm_materials(u, case_id, BOSS, (ids.new_id("ma"),), ()))


def finished(delivery: str = "rider") -> tuple[str, str]:
    """A case whose result has to travel."""
    with unit() as u:
        who = makers.make_citizen(u)
        address = people.add_address(u, who, makers.WHEREABOUTS).id
    case_id, _ = file_case(LICENCE, who, delivery=delivery, address_id=address)
    for verb in (cases.accept, cases.start_review):
        run_unit(lambda u, verb=verb: verb(u, case_id, BOSS))  # type: ignore[misc]
    run_unit(lambda u: cases.decide(u, case_id, BOSS, granted=True, reason=""))
    run_unit(lambda u: cases.finish(u, case_id, BOSS, ("1",)))
    return case_id, who


@pytest.mark.parametrize("delivery", ["courier", "rider"])
def test_the_department_holds_a_result_until_it_is_fetched(delivery: str) -> None:
    case_id, who = finished(delivery)
    with unit() as u:
        waiting = cases.progress_of(u, case_id, who)
    assert (waiting.holder, "部门正在准备寄出" in waiting.why) == ("department", True)
    returned = ParcelCollected(case_id, who, "par-x", "outbound", purpose="return")
    run_unit(lambda u: cases.on_parcel_collected(u, returned))
    assert seen(case_id, who)[0] == "department"
    news = ParcelCollected(case_id, who, "par-y", "outbound")
    for _ in range(2):
        run_unit(lambda u: cases.on_parcel_collected(u, news))
    with unit() as u:
        travelling = cases.progress_of(u, case_id, who)
        assert not [fault for fault in cases.check_books(u) if case_id in fault]
    assert (travelling.holder, "取走" in travelling.why) == ("courier", True)


def test_a_delivered_result_ends_the_case_once() -> None:
    case_id, who = finished()
    news = ParcelDelivered(case_id, who, "par-y", "outbound")
    for _ in range(2):
        run_unit(lambda u: cases.on_parcel_delivered(u, news))
    with unit() as u:
        assert [line.target for line in u.journal_of(case_id)].count("delivered") == 1


def test_a_visit_is_booked_once_and_may_be_missed() -> None:
    case_id, who = file_case(HOME)
    with unit() as u:
        assert not cases.visit_ground(u, case_id, who).may_book
    run_unit(lambda u: cases.pass_pre_review(u, case_id, BOSS))
    assert seen(case_id, who)[1][0] == "book"
    run_unit(lambda u: cases.on_booking_confirmed(u, BookingConfirmed(case_id, who, "bk-x")))
    with unit() as u:
        ground = cases.visit_ground(u, case_id, who)
    assert (ground.may_book, bool(ground.reason)) == (False, True)
    run_unit(lambda u: cases.on_booking_missed(u, BookingMissed(case_id, who, "bk-x")))
    with unit() as u:
        assert cases.visit_ground(u, case_id, who).may_book
    run_unit(lambda u: cases.on_booking_checked_in(u, BookingCheckedIn(case_id, who, "bk-y")))
    with unit() as u:
        assert "签到" in cases.progress_of(u, case_id, who).why


def test_a_booking_without_a_case_is_not_our_business() -> None:
    run_unit(lambda u: cases.on_booking_confirmed(u, BookingConfirmed("bk-x", "ps-x", "bk-x")))
    assert run_unit(lambda u: u.journal_of("bk-x")) == []
