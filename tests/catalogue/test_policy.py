from datetime import date
from typing import Any

import pytest

from backend import catalogue
from backend.catalogue import BookingRule, Term
from backend.store.unit import unit
from tests.catalogue.makers import shaped, whole_record


def _policy(item_id: str) -> catalogue.Policy:
    return shaped(whole_record(item_id, of=item_id)).policy


def test_a_first_registration_is_pre_reviewed_booked_and_paid() -> None:
    policy = _policy("SI025")
    assert (policy.pre_review_hours, policy.pre_review_unit) == (24, "clock")
    assert (policy.bookable, policy.booking_after, policy.booking) == (
        True,
        "pre_review",
        BookingRule(30, 4, 5, 1, 2),
    )
    assert (policy.fee_before, policy.can_pay_online) == ("decision", True)
    assert (policy.promise, policy.legal) == (Term(5, "WD"), Term(30, "WD"))
    assert policy.deliveries == ("pickup", "courier", "e_licence")
    assert policy.deemed_acceptance_workdays == 5


def test_a_vehicle_licence_travels_both_ways() -> None:
    policy = _policy("SI024")
    assert (policy.mail_in, policy.mail_out, policy.immediate) == (True, True, True)
    assert (policy.deemed_acceptance_workdays, policy.extension) == (5, Term(10, "WD"))


def test_a_fine_is_served_by_bill() -> None:
    policy = _policy("SI020")
    assert (policy.served_by, policy.fine_online_handle_max_fen, policy.fee_before) == ("bill", 20_000, None)


def test_an_examination_is_served_by_booking() -> None:
    policy = _policy("SI018")
    assert policy.served_by == "booking"
    assert policy.booking_subjects == ("科目一", "科目二", "科目三")


def test_other_items_know_no_deemed_acceptance() -> None:
    policy = _policy("SI048")
    assert (policy.deemed_acceptance_workdays, policy.extension) == (None, None)
    assert policy.correction_term == Term(30, "ND")
    assert policy.delivery_within == Term(10, "WD")


@pytest.mark.parametrize(
    ("term", "says"), [((0, "WD"), "当场办结"), ((5, "WD"), "5个工作日"), ((30, "ND"), "30日")]
)
def test_a_term_says_itself(term: tuple[int, Any], says: str) -> None:
    assert Term(*term).says == says


def test_a_material_is_found_by_code_or_name() -> None:
    version = shaped(whole_record())
    assert version.material("m3") == version.material("土地权属来源材料")
    assert version.material("结婚证") is None
    assert [one.paper_only for one in shaped(whole_record(of="SI024")).materials] == [False, True]


def test_a_limit_falls_on_a_working_day(register: None) -> None:
    with unit() as u:
        assert catalogue.due_on(u, date(2026, 9, 30), Term(5, "WD")).on == date(2026, 10, 13)
        assert catalogue.due_on(u, date(2026, 9, 1), Term(30, "ND")).on == date(2026, 10, 8)
