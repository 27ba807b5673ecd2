"""The rules of booking, each told in plain words, and none of them got around by asking twice at once."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from backend import booking, people
from backend.booking import Companion, Wish, tasks
from backend.booking.models import BookingRow, SlotRow
from backend.booking.rules import Rules, month_of, rules_from, week_of
from backend.booking.services.holding import device_digest
from backend.booking.services.taking import WAITS_S
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput, TooMany
from backend.store.unit import run_unit, unit
from tests.booking.makers import (
    CLERK,
    EXAM,
    a_person,
    at_desk,
    book,
    born_on,
    cancel,
    citizen,
    confirm,
    free_in,
    hold,
    id_tail_of,
    make_slot,
    set_rules,
    state_of,
)
from tests.booking.waiters import a_site, all_at_once, hands, second_waits
from tests.cases.makers import id_number

SUBJECTS = ("科目一", "科目二", "科目三")
OLD, YOUNG = date(1950, 3, 1), date(1996, 3, 1)


@pytest.fixture
def site() -> str:
    return a_site()


def monday(weeks: int = 2) -> datetime:
    """Nine o'clock on a Monday that is some weeks ahead, early in its month where it matters."""
    first, _ = week_of(clock.today() + timedelta(weeks=weeks))
    return clock.at_local(first, 9)


def exam(site: str, subject: int, starts: datetime, capacity: int = 1, **more: Any) -> booking.Slot:
    return make_slot(capacity, site=site, item=EXAM, subject=SUBJECTS[subject], starts=starts, **more)


def companions(count: int) -> tuple[Companion, ...]:
    return tuple(Companion("测试乙", id_number()) for _ in range(count))


def served(slot: booking.Slot, person: str) -> booking.BookingView:
    """Somebody has booked, come and gone."""
    booked = book(slot.id, person)
    with unit() as u:
        u.session.get_one(BookingRow, booked.id).state = "served"
    return booked


def test_one_appointment_a_day(site: str) -> None:
    first = book(exam(site, 0, monday()).id)
    with pytest.raises(booking.LimitReached) as refused:
        hold(exam(site, 1, monday() + timedelta(hours=5)).id, first.person_id)
    assert refused.value.detail == "同一事项当天最多预约 1 次，请选择其他日期。"
    assert hold(exam(site, 1, monday() + timedelta(days=1)).id, first.person_id).state == "held"


def test_two_appointments_a_week(site: str) -> None:
    person = a_person()
    for day in (0, 2):
        served(exam(site, 0, monday() + timedelta(days=day)), person)
    with pytest.raises(booking.LimitReached) as refused:
        hold(exam(site, 0, monday() + timedelta(days=6)).id, person)
    assert "当周最多预约 2 次" in (refused.value.detail or "")
    assert hold(exam(site, 0, monday() + timedelta(days=7)).id, person).state == "held"


def test_six_appointments_a_month(site: str) -> None:
    set_rules(site, EXAM, per_week=20)
    first, last = month_of(clock.today() + timedelta(days=40))
    person, nine = a_person(), clock.at_local(first, 9)
    for day in range(6):
        served(exam(site, 0, nine + timedelta(days=day)), person)
    with pytest.raises(booking.LimitReached) as refused:
        hold(exam(site, 0, clock.at_local(last, 9)).id, person)
    assert "当月最多预约 6 次" in (refused.value.detail or "")
    assert hold(exam(site, 0, clock.at_local(last + timedelta(days=1), 9)).id, person).state == "held"


def test_what_was_cancelled_counts_no_more(site: str) -> None:
    booked = book(exam(site, 0, monday()).id)
    cancel(booked)
    assert hold(exam(site, 1, monday() + timedelta(hours=2)).id, booked.person_id).state == "held"


def test_other_items_are_counted_apart(site: str) -> None:
    booked = book(exam(site, 0, monday()).id)
    assert hold(make_slot(1, site=site, starts=monday()).id, booked.person_id).state == "held"


def test_rules_of_an_item_go_over_those_of_the_site(site: str) -> None:
    set_rules(site, "", per_day=3, hold_minutes=5)
    set_rules(site, EXAM, per_day=2)
    person = a_person()
    held = hold(exam(site, 0, monday()).id, person)
    assert held.held_until is not None
    assert held.held_until - clock.now() < timedelta(minutes=5)
    hold(exam(site, 1, monday() + timedelta(hours=1)).id, person)
    with pytest.raises(booking.LimitReached, match="最多预约 2 次"):
        hold(exam(site, 2, monday() + timedelta(hours=2)).id, person)


def test_what_is_no_rule_is_refused() -> None:
    for wrong in ({"per_day": 0}, {"per_dya": 1}, {"hold_minutes": 60}, {"offers_a_day": 4}):
        with pytest.raises(ValidationError):
            rules_from(wrong)
    assert rules_from(None, None) == Rules()


def test_two_holds_at_once_are_counted_once(site: str) -> None:
    person = a_person()
    slots = [exam(site, n, monday() + timedelta(hours=n)) for n in range(3)]
    outcome = all_at_once([lambda slot=slot: hold(slot.id, person) for slot in slots])  # type: ignore[misc]
    assert sum(isinstance(one, booking.LimitReached) for one in outcome) == 2
    assert sum(hands(slot) for slot in slots) == 1


@pytest.mark.parametrize("commit", [True, False])
def test_a_second_hold_waits_for_the_first(site: str, commit: bool) -> None:
    """However close together: what the first wrote is counted, or was never written."""
    person = a_person()
    one, other = (exam(site, n, monday() + timedelta(hours=n)) for n in range(2))
    first = Wish(one.id, person)
    came = second_waits(
        lambda u: booking.hold_slot(u, first, citizen(person)), lambda: hold(other.id, person), commit=commit
    )
    assert isinstance(came, booking.LimitReached if commit else booking.BookingView)


def test_the_same_time_asked_for_at_once_is_held_once(site: str) -> None:
    person, slot = a_person(), make_slot(4, site=site, starts=monday())
    outcome = all_at_once([lambda: hold(slot.id, person)] * 4)
    assert sum(isinstance(one, booking.BookingView) for one in outcome) == 1
    assert hands(slot) == 1


def test_a_hold_lasts_as_long_as_the_rule_says(site: str) -> None:
    set_rules(site, hold_minutes=2)
    held = hold(make_slot(1, site=site, starts=monday()).id)
    clock.advance(timedelta(minutes=1, seconds=58))
    assert confirm(held).state == "confirmed"
    late = hold(make_slot(1, site=site, starts=monday()).id)
    clock.advance(timedelta(minutes=2))
    with pytest.raises(booking.HoldLapsed):
        confirm(late)
    tasks.lapse_holds()
    with pytest.raises(booking.HoldLapsed):
        confirm(late)


def test_cancelling_ends_some_hours_before(site: str) -> None:
    slot = make_slot(1, site=site, starts=monday(), cancel_before_hours=24)
    booked = book(slot.id)
    clock.move_to(slot.starts_at - timedelta(hours=23, minutes=59))
    with pytest.raises(booking.TooLateToCancel):
        cancel(booked)
    clock.move_to(slot.starts_at - timedelta(hours=24, minutes=1))
    assert cancel(booked).state == "cancelled"


def test_what_the_site_closed_can_always_be_cancelled(site: str) -> None:
    slot = make_slot(1, site=site, starts=monday())
    booked = book(slot.id)
    clock.move_to(slot.starts_at - timedelta(hours=1))
    with unit() as u:
        u.session.query(SlotRow).filter_by(id=slot.id).update({"closed_at": clock.now()})
    assert cancel(booked).state == "cancelled"


def test_a_family_has_a_place_each(site: str) -> None:
    slot = make_slot(4, site=site, starts=monday())
    family = book(slot.id, companions=companions(2))
    assert (family.party, hands(slot)) == (3, 3)
    with pytest.raises(booking.SlotTaken):
        hold(slot.id, companions=companions(1))
    assert hands(slot) == 3
    cancel(family)
    assert free_in(slot.id) == 4


def test_a_party_too_large_is_refused_in_words(site: str) -> None:
    set_rules(site, max_party=2)
    with pytest.raises(InvalidInput) as refused:
        hold(make_slot(9, site=site, starts=monday()).id, companions=companions(2))
    assert refused.value.extra["errors"] == [{"field": "companions", "message": "一次最多预约 2 人"}]


def test_names_of_a_family_are_sealed(site: str) -> None:
    family = hold(make_slot(4, site=site, starts=monday()).id, companions=companions(1))
    with unit() as u:
        kept = u.session.get_one(BookingRow, family.id).companions
    assert kept is not None
    assert "测试乙".encode() not in kept


def test_families_who_race_get_all_or_nothing(site: str) -> None:
    slot = make_slot(7, site=site, starts=monday())
    crowd = [a_person() for _ in range(8)]
    wants = [lambda one=one: hold(slot.id, one, companions=companions(2)) for one in crowd]
    outcome = all_at_once(wants)
    assert sum(isinstance(one, booking.BookingView) for one in outcome) == 2
    assert hands(slot) == 6


@pytest.mark.parametrize("commit", [True, False])
def test_a_second_family_waits_for_the_first(site: str, commit: bool) -> None:
    """Two families that each took half would both go without."""
    slot, person = make_slot(3, site=site, starts=monday()), a_person()
    first = Wish(slot.id, person, companions=companions(1))
    came = second_waits(
        lambda u: booking.hold_slot(u, first, citizen(person)),
        lambda: hold(slot.id, companions=companions(1)),
        commit=commit,
        pause=sum(WAITS_S) + 0.2,
    )
    assert isinstance(came, booking.SlotTaken if commit else booking.BookingView)
    assert hands(slot) == 2


def test_families_and_single_people_race_for_places(site: str) -> None:
    slot = make_slot(6, site=site, starts=monday())
    crowd = [a_person() for _ in range(12)]
    wants = [
        lambda n=n, one=one: hold(slot.id, one, companions=companions(n % 3)) for n, one in enumerate(crowd)
    ]
    outcome = all_at_once(wants)
    got = [one for one in outcome if isinstance(one, booking.BookingView)]
    assert sum(one.party for one in got) == hands(slot) <= 6
    assert all(isinstance(one, booking.SlotTaken) for one in outcome if one not in got)


def test_who_holds_and_gives_back_all_day_waits_for_tomorrow(site: str) -> None:
    set_rules(site, lapses_a_day=2)
    slot, person = make_slot(1, site=site, starts=monday()), a_person()
    for _ in range(2):
        cancel(hold(slot.id, person))
    with pytest.raises(booking.TooManyHolds) as refused:
        hold(slot.id, person)
    assert 0 < (refused.value.retry_after or 0) <= 24 * 3600
    clock.move_to(clock.start_of_day(clock.today() + timedelta(days=1)))
    assert hold(slot.id, person).state == "held"


def test_holds_that_run_out_are_hoarding_too(site: str) -> None:
    set_rules(site, lapses_a_day=1)
    clock.move_to(clock.at_local(clock.today() + timedelta(days=1), 12))
    slot, person = make_slot(1, site=site, starts=monday()), a_person()
    hold(slot.id, person)
    clock.advance(timedelta(minutes=11))
    tasks.lapse_holds()
    with pytest.raises(booking.TooManyHolds):
        hold(slot.id, person)


def test_one_device_serves_a_family_and_not_a_tout(site: str) -> None:
    set_rules(site, per_device=2)
    slot = make_slot(9, site=site, starts=monday())
    for _ in range(2):
        hold(slot.id, device="phone-of-one")
    with pytest.raises(booking.TooManyHolds):
        hold(slot.id, device="phone-of-one")
    assert hold(slot.id, device="phone-of-another").state == "held"
    assert hold(slot.id).state == "held"


def crowd_from(network: str, slot: booking.Slot, count: int) -> None:
    """So many people came today who booked from one network address, with phones that do not name themselves."""
    with unit() as u:
        for _ in range(count):
            u.add(
                BookingRow(
                    id=ids.new_id("bk"), number=ids.booking_number(), slot_id=slot.id, person_id=ids.new_id("ps"),
                    item_id=slot.item_id, day=clock.day_of(slot.starts_at), state="served", made_at=clock.now(),
                    held_until=clock.now(), device=device_digest("", network),
                )
            )  # fmt: skip


def test_leaving_the_device_out_does_not_lift_every_limit(site: str) -> None:
    set_rules(site, per_network=50)
    slot = make_slot(9, site=site, starts=monday())
    crowd_from("hall", slot, 49)
    assert hold(slot.id, network="hall").state == "held"
    with pytest.raises(TooMany) as refused:
        hold(slot.id, network="hall")
    assert "同一网络今天的预约太多" in (refused.value.detail or "")
    assert hold(slot.id, network="street").state == "held"


def test_a_crowd_behind_one_address_hurts_no_named_phone(site: str) -> None:
    set_rules(site, per_network=50, per_device=1)
    slot = make_slot(9, site=site, starts=monday())
    crowd_from("carrier", slot, 50)
    assert hold(slot.id, device=f"phone-at-{site}", network="carrier").state == "held"
    with pytest.raises(booking.TooManyHolds):
        hold(slot.id, device=f"phone-at-{site}", network="street")


def test_a_full_hall_may_book_over_its_wifi() -> None:
    assert Rules().per_network >= 50 * Rules().per_device
    with pytest.raises(ValidationError):
        rules_from({"per_network": 49})


def test_a_device_is_not_kept_as_it_calls_itself(site: str) -> None:
    held = hold(make_slot(1, site=site, starts=monday()).id, device="phone-of-one")
    with unit() as u:
        kept = u.session.get_one(BookingRow, held.id).device
    assert kept is not None
    assert b"phone" not in kept


def test_booking_needs_the_level_of_the_rule(site: str) -> None:
    slot, visitor = make_slot(2, site=site, starts=monday()), a_person(verified=False)
    with pytest.raises(people.RealNameNeeded):
        hold(slot.id, visitor)
    set_rules(site, level=1)
    assert hold(slot.id, visitor).state == "held"


def test_places_of_the_elderly_are_refused_to_the_young(site: str) -> None:
    set_rules(site, elder_percent=50, elder_until_hours=24)
    slot = make_slot(2, site=site, starts=monday(), kinds={"elder": 1})
    young, other, old = (a_person(id_no=born_on(day)) for day in (YOUNG, YOUNG, OLD))
    hold(slot.id, young)
    with pytest.raises(booking.SlotTaken):
        hold(slot.id, other)
    assert hold(slot.id, old).state == "held"


def test_places_the_elderly_left_are_everybodys_at_last(site: str) -> None:
    set_rules(site, elder_percent=100, elder_until_hours=24)
    slot = make_slot(1, site=site, starts=monday(), kinds={"elder": 1})
    young = a_person(id_no=born_on(YOUNG))
    clock.move_to(slot.starts_at - timedelta(hours=24, minutes=1))
    with pytest.raises(booking.SlotTaken):
        hold(slot.id, young)
    clock.move_to(slot.starts_at - timedelta(hours=24))
    assert hold(slot.id, young).state == "held"


def test_the_elder_rule_counts_birthdays(site: str) -> None:
    set_rules(site, elder_percent=100, elder_age=60)
    slot = make_slot(2, site=site, starts=monday(), kinds={"elder": 2})
    sixty = clock.today().replace(year=clock.today().year - 60, day=1)
    with pytest.raises(booking.SlotTaken):
        hold(slot.id, a_person(id_no=born_on(sixty + timedelta(days=40))))
    assert hold(slot.id, a_person(id_no=born_on(sixty))).state == "held"


def test_places_of_the_window_are_never_taken_online(site: str) -> None:
    slot = make_slot(2, site=site, starts=monday(), kinds={"walk_in": 1})
    hold(slot.id)
    for person in (a_person(), a_person(id_no=born_on(OLD))):
        with pytest.raises(booking.SlotTaken):
            hold(slot.id, person)
    assert (hands(slot), free_in(slot.id)) == (1, 1)


def test_urgent_times_need_a_reason_and_evidence(site: str) -> None:
    slot = make_slot(2, site=site, starts=monday(), urgent=True)
    for given in ({}, {"urgent_reason": "medical"}, {"urgent_reason": "lazy", "urgent_evidence": ("up-1",)}):
        with pytest.raises(booking.UrgencyNeeded) as refused:
            hold(slot.id, **given)
        assert refused.value.extra["reasons"] == booking.URGENT_REASONS
    held = hold(slot.id, urgent_reason="medical", urgent_evidence=("up-1",))
    with unit() as u:
        row = u.session.get_one(BookingRow, held.id)
        assert (row.urgent_reason, row.urgent_evidence) == ("medical", ["up-1"])


@pytest.mark.parametrize("shut", ["closed", "past", "not_open"])
def test_what_is_not_open_cannot_be_held(site: str, shut: str) -> None:
    now = clock.now()
    how: dict[str, dict[str, Any]] = {
        "closed": {"closed_at": now},
        "past": {"closes_at": now},
        "not_open": {"opens_at": now + timedelta(minutes=1)},
    }
    with pytest.raises(booking.SlotClosed):
        hold(make_slot(1, site=site, starts=monday(), **how[shut]).id)


def test_check_in_opens_and_ends_around_the_appointment(site: str) -> None:
    set_rules(site, early_minutes=30, late_minutes=15)
    slot = make_slot(1, site=site, starts=monday())
    booked = book(slot.id)
    for at, told in (
        (slot.starts_at - timedelta(minutes=31), "08:30 起可以签到"),
        (slot.ends_at + timedelta(minutes=16), "签到到 09:45 为止"),
    ):
        clock.move_to(at)
        with pytest.raises(booking.halls.WrongDayOrSite) as refused:
            at_desk(booked, booked.check_in_code or "", site)
        assert told in (refused.value.detail or "")
    clock.move_to(slot.ends_at + timedelta(minutes=14))
    assert at_desk(booked, booked.check_in_code or "", site) is not None


def test_check_in_by_the_tail_of_the_card(site: str) -> None:
    slot = make_slot(1, site=site, starts=monday())
    booked = book(slot.id)
    tail = id_tail_of(booked.person_id)
    wrong = "000X" if tail != "000X" else "0001"
    clock.move_to(slot.starts_at)
    assert at_desk(booked, site=site, id_tail=wrong) is None
    assert at_desk(booked, site=site, id_tail=tail.lower()) is not None
    with pytest.raises(booking.halls.AlreadyCheckedIn):
        at_desk(booked, site=site, id_tail=tail)


def test_check_in_at_another_site_or_day(site: str) -> None:
    slot = make_slot(1, site=site, starts=monday())
    booked = book(slot.id)
    with pytest.raises(booking.halls.WrongDayOrSite):
        at_desk(booked, booked.check_in_code or "", site)
    clock.move_to(slot.starts_at)
    with pytest.raises(booking.halls.WrongDayOrSite):
        at_desk(booked, booked.check_in_code or "", a_site())


def test_guessing_at_the_desk_ends(site: str) -> None:
    slot = make_slot(1, site=site, starts=monday())
    booked = book(slot.id)
    tail = id_tail_of(booked.person_id)
    clock.move_to(slot.starts_at)
    for _ in range(5):
        assert at_desk(booked, site=site, id_tail="000X" if tail != "000X" else "0001") is None
    with pytest.raises(TooMany):
        at_desk(booked, site=site, id_tail=tail)


def test_two_desks_at_once_check_in_once(site: str) -> None:
    slot = make_slot(1, site=site, starts=monday())
    booked = book(slot.id)
    clock.move_to(slot.starts_at)
    outcome = all_at_once([lambda: at_desk(booked, booked.check_in_code or "", site)] * 3)
    assert sum(isinstance(one, booking.halls.AlreadyCheckedIn) for one in outcome) == 2
    assert state_of(booked) == "checked_in"
    run_unit(lambda u: booking.halls.mark_served(u, booked.id, site, CLERK, identity_checked=True))


def test_holding_and_cancelling_at_once_lose_nothing(site: str) -> None:
    slot = make_slot(1, site=site, starts=monday())
    holder, crowd = hold(slot.id), [a_person() for _ in range(5)]
    grabs = [lambda one=one: hold(slot.id, one) for one in crowd]
    all_at_once([lambda: cancel(holder), *grabs])
    assert hands(slot) <= 1
    if free_in(slot.id):
        assert hold(slot.id).state == "held"


def test_confirming_and_lapsing_at_once_agree(site: str) -> None:
    held = hold(make_slot(1, site=site, starts=monday()).id)
    clock.advance(timedelta(minutes=11))
    who = citizen(held.person_id)

    def sure() -> booking.BookingView:
        return run_unit(lambda u: booking.confirm_booking(u, held.id, held.person_id, who))

    outcome = all_at_once([sure, tasks.lapse_holds, sure])
    assert all(isinstance(one, booking.HoldLapsed) for one in (outcome[0], outcome[2]))
    tasks.lapse_holds()  # it passes over what somebody is looking at, and comes again
    assert (state_of(held), free_in(held.slot_id)) == ("lapsed", 1)
