"""A case that ends takes its visits with it, however close the end comes to a hold or a confirmation."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backend import booking, cases
from backend.booking import Wish
from backend.booking.services.waiting import end_waits_of_case
from backend.contracts import CaseWithdrawn
from backend.kernel import clock
from backend.store.unit import Unit, run_unit, unit
from miniprogram_api import grounds
from tests.booking.makers import ITEM, a_person, citizen, hold, make_slot, state_of
from tests.booking.waiters import a_site, second_waits
from tests.cases.makers import file_case, officer
from tests.cases.visitors import Visitor, Visitors


@pytest.fixture
def visitors(town: Any) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def case() -> tuple[str, str]:
    """A case that passed its pre-review: now its visit is booked. Its id, and its citizen's."""
    case_id, person_id = file_case(ITEM, a_person())
    run_unit(lambda u: cases.pass_pre_review(u, case_id, officer()))
    return case_id, person_id


@pytest.fixture
def slot() -> booking.Slot:
    return make_slot(2, site=a_site(), starts=clock.now() + timedelta(days=3))


def withdraw(u: Unit, case_id: str, person_id: str) -> None:
    cases.withdraw_case(u, case_id, person_id, "不办了", citizen(person_id))


def hear(case_id: str, person_id: str) -> None:
    run_unit(lambda u: booking.on_case_closed(u, CaseWithdrawn(case_id, person_id)))


def confirmed(u: Unit, held: booking.BookingView) -> booking.BookingView:
    booked = booking.confirm_booking(u, held.id, held.person_id, citizen(held.person_id))
    grounds.require_still_wanted(u, booked)
    return booked


def confirm_over_http(who: Visitor, held: booking.BookingView) -> int:
    return who.post(f"/mp/v1/bookings/{held.id}/confirmation").status_code


def test_a_visit_of_a_living_case_is_confirmed(
    visitors: Visitors, case: tuple[str, str], slot: booking.Slot
) -> None:
    who = visitors.citizen(case[1])
    held = who.post("/mp/v1/bookings", {"slot_id": slot.id, "case_id": case[0]})
    assert held.status_code == 201, held.text
    assert who.post(f"/mp/v1/bookings/{held.json['id']}/confirmation").status_code == 200


def test_nothing_is_confirmed_after_the_case_ended(
    visitors: Visitors, case: tuple[str, str], slot: booking.Slot
) -> None:
    held = hold(slot.id, case[1], case_id=case[0])
    run_unit(lambda u: withdraw(u, *case))
    answer = visitors.citizen(case[1]).post(f"/mp/v1/bookings/{held.id}/confirmation")
    assert (answer.status_code, answer.json["type"].rsplit(":", 1)[1]) == (403, "not-bookable")
    assert state_of(held) == "held"
    hear(*case)
    assert state_of(held) == "cancelled"


def test_an_end_under_way_is_waited_for(case: tuple[str, str], slot: booking.Slot) -> None:
    """The case ends first, and has not committed when the citizen confirms."""
    held = hold(slot.id, case[1], case_id=case[0])
    came = second_waits(
        lambda u: withdraw(u, *case), lambda: run_unit(lambda u: confirmed(u, held)), commit=True
    )
    assert isinstance(came, booking.NotBookable)
    hear(*case)
    assert state_of(held) == "cancelled"


def test_a_confirmation_under_way_is_found_by_the_end(case: tuple[str, str], slot: booking.Slot) -> None:
    """The citizen confirms first; the case ends while that is not committed, and gives the visit back."""
    held = hold(slot.id, case[1], case_id=case[0])

    def end() -> None:
        run_unit(lambda u: withdraw(u, *case))
        hear(*case)

    second_waits(lambda u: confirmed(u, held), end, commit=True)
    assert state_of(held) == "cancelled"


def test_an_end_waits_for_a_hold_and_finds_it(case: tuple[str, str], slot: booking.Slot) -> None:
    """Whoever holds a place for a case keeps the case as it is until the place is held."""

    def end() -> None:
        run_unit(lambda u: withdraw(u, *case))
        hear(*case)

    ending = threading.Thread(target=end)
    with unit() as u:
        seen = booking.look(u, slot.id, case[1])
        grounds.require_may_book(u, ITEM, *case)
        ending.start()
        clock.sleep(0.2)
        assert ending.is_alive()
        held = booking.hold_slot(u, Wish(slot.id, case[1], case[0]), citizen(case[1]), seen)
    ending.join()
    assert state_of(held) == "cancelled"


@pytest.mark.parametrize("state", ["held", "confirmed"])
def test_the_end_gives_back_what_is_held_or_booked(
    case: tuple[str, str], slot: booking.Slot, state: str
) -> None:
    held = hold(slot.id, case[1], case_id=case[0])
    if state == "confirmed":
        run_unit(lambda u: confirmed(u, held))
    hear(*case)
    assert state_of(held) == "cancelled"


def test_the_end_finds_what_an_offer_made_meanwhile(
    case: tuple[str, str], slot: booking.Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offer that was under way when the end looked for bookings is committed before its waits are ended."""
    made: list[booking.BookingView] = []

    def offered_meanwhile(u: Unit, case_id: str) -> None:
        _in_another_thread(lambda: made.append(hold(slot.id, case[1], case_id=case_id)))
        end_waits_of_case(u, case_id)

    monkeypatch.setattr("backend.booking.reactions.end_waits_of_case", offered_meanwhile)
    hear(*case)
    assert state_of(made[0]) == "cancelled"
    with unit() as u:
        assert booking.check_books(u) == []


def _in_another_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
