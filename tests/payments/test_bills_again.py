"""The same number pushed again: the same bill, or a refusal that names what differs; and how a wrong one is mended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import payments
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput
from backend.store.unit import Actor, run_unit
from tests.payments.makers import CLERK, FINE_OF_100_YUAN, events_of
from tests.payments.test_windows import at_desk, notice, pushed
from tests.people.makers import by_wechat, fresh_id_no, officer, slug

TODAY = clock.today()
ONE, OTHER = fresh_id_no(), fresh_id_no()


def refused(bill, first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, str]]:
    """What a second push under the number of the first is told."""
    number = ids.digits(20)
    before = bill(notice_no=number, **first)
    with pytest.raises(payments.BillNumberTaken) as told:
        bill(notice_no=number, **(first | second))
    assert run_unit(lambda u: payments.bill_of(u, before.id)) == before
    return told.value.extra["errors"]  # type: ignore[return-value]


def correct(bill, **words: Any) -> payments.BillView:
    correction = payments.BillCorrection(bill.principal_fen, 0, 0, bill.due_on, bill.items)
    correction = replace(correction, **words)
    return run_unit(lambda u: payments.correct_bill(u, bill.id, "BZ-TEST", correction, "填写有误", CLERK))


def find(bill, person_id: str, factor: str) -> payments.BillView:
    return payments.look_up_bill(person_id, bill.notice_no, factor)


@pytest.mark.parametrize(
    ("first", "second", "field", "way"),
    [
        ({}, {"factor": "ZZ99ZZ"}, "second_factor", "更正接口"),
        ({}, {"payer_id_no": ONE}, "payer_id_no", "更正接口"),
        ({"payer_id_no": ONE}, {"payer_id_no": OTHER}, "payer_id_no", "更正接口"),
        ({"payer_id_no": ONE}, {"payer_id_no": ""}, "payer_id_no", "更正接口"),
        ({"kind": "fee"}, {"overdue_fen": 5}, "overdue_fen", "更正接口"),
        ({"kind": "fee"}, {"overdue_ppm": 5}, "overdue_ppm", "更正接口"),
        ({}, {"due_on": TODAY + timedelta(days=40)}, "due_on", "更正接口"),
        ({}, {"items": (payments.BillLine("A-1", "罚款", 10_000),)}, "items", "更正接口"),
        ({}, {"kind": "fee"}, "kind", "撤回"),
        ({}, {"executing_unit": "另一单位"}, "executing_unit", "撤回"),
        ({}, {"region_code": "341623"}, "region_code", "撤回"),
        ({}, {"window_name": "另一窗口"}, "window_name", "撤回"),
        ({}, {"window_address": "另一路 2 号"}, "window_address", "撤回"),
        (
            {"due_on": TODAY + timedelta(days=20)},
            {"issued_on": TODAY - timedelta(days=1)},
            "issued_on",
            "撤回",
        ),
    ],
)
def test_whatever_differs_is_named_and_nothing_changes(bill, first, second, field, way):
    [told] = refused(bill, first, second)
    assert told["field"] == field
    assert way in told["message"]


def test_all_that_differs_is_named_at_once_without_values(bill):
    told = refused(bill, {"payer_id_no": ONE}, {"payer_id_no": OTHER, "factor": "ZZ99ZZ", "principal_fen": 7})
    assert {fault["field"] for fault in told} == {"payer_id_no", "second_factor", "principal_fen", "items"}
    assert not [secret for secret in (ONE, OTHER, "ZZ99ZZ", "AB12CD") if secret in str(told)]


def test_the_same_said_another_way_is_the_same(bill):
    number = ids.digits(20)
    first = bill(notice_no=number, payer_id_no=ONE)
    again = bill(
        notice_no=number, payer_id_no=ONE.lower(), factor=" ab12cd ", due_on=TODAY + timedelta(days=15)
    )
    assert first.id == again.id


def test_a_stranger_learns_nothing_by_pushing(bill):
    """Nobody finds out a second factor by pushing another department's number."""
    wrong = refused(bill, {}, {"department_id": "BZ-OTHER", "factor": "ZZ99ZZ"})
    right = refused(bill, {}, {"department_id": "BZ-OTHER"})
    elsewhere = refused(bill, {}, {"region_code": "341623", "factor": "ZZ99ZZ"})
    assert wrong == right
    assert [fault["field"] for fault in wrong + elsewhere] == ["notice_no", "region_code"]


def test_a_withdrawn_number_is_used_up(bill):
    issued = bill()
    run_unit(lambda u: payments.withdraw_bill(u, issued.id, "BZ-TEST", "重复开具", CLERK))
    for words in ({}, {"factor": "ZZ99ZZ"}):
        with pytest.raises(payments.BillNumberTaken) as told:
            bill(notice_no=issued.notice_no, **words)
        [fault] = told.value.extra["errors"]
        assert (fault["field"], "撤回" in fault["message"]) == ("notice_no", True)


def test_a_corrected_bill_pushed_as_before_is_refused(bill):
    issued = bill()
    correct(issued, principal_fen=9_000, items=())
    with pytest.raises(payments.BillNumberTaken):
        bill(notice_no=issued.notice_no)


def test_a_batch_tells_line_by_line_what_differs(bill):
    known, gone = bill(), bill()
    run_unit(lambda u: payments.withdraw_bill(u, gone.id, "BZ-TEST", "重复开具", CLERK))
    same = replace(FINE_OF_100_YUAN, notice_no=known.notice_no, issued_on=TODAY)
    drafts = [same, replace(same, factor="ZZ99ZZ"), replace(same, notice_no=gone.notice_no)]
    told = run_unit(lambda u: payments.issue_bills(u, drafts, CLERK, lambda _: None))
    assert [line.problem for line in told] == [None, "bill-number-taken", "bill-number-taken"]
    assert [[fault.field for fault in line.errors] for line in told] == [[], ["second_factor"], ["notice_no"]]


def test_another_factor_is_found_anew_by_everybody(bill):
    issued, stranger, payer = bill(), ids.new_id("ps"), ids.new_id("ps")
    find(issued, stranger, "AB12CD")
    correct(issued, factor="zz99 zz")
    with pytest.raises(payments.BillNotFound):
        run_unit(lambda u: payments.bill_of(u, issued.id, person_id=stranger))
    with pytest.raises(payments.BillNotFound):
        find(issued, stranger, "AB12CD")
    assert find(issued, payer, "ZZ99ZZ").id == issued.id


def test_the_same_factor_leaves_its_readers(bill):
    issued, payer = bill(), ids.new_id("ps")
    find(issued, payer, "AB12CD")
    correct(issued, factor="ab12cd")
    assert run_unit(lambda u: payments.bill_of(u, issued.id, person_id=payer)).id == issued.id


def test_the_journal_tells_of_secrets_only_that_they_changed(bill):
    issued = bill(payer_id_no=ONE)
    correct(issued, factor="ZZ99ZZ", payer_id_no=OTHER)
    facts = run_unit(lambda u: u.journal_of(issued.id))[-1].facts
    assert (facts["factor_changed"], facts["payer_changed"]) == (True, True)
    assert not [secret for secret in (ONE, OTHER, "ZZ99ZZ") if secret in str(facts)]
    assert len(events_of(issued.id, "BillIssued")) == 2


@pytest.mark.parametrize(
    "words", [{"factor": " 1 "}, {"factor": "X" * 21}, {"payer_id_no": "341602199001010010"}]
)
def test_a_malformed_secret_corrects_nothing(bill, words):
    issued = bill()
    with pytest.raises(InvalidInput) as told:
        correct(issued, **words)
    [fault] = told.value.errors
    assert fault["field"] == {"factor": "second_factor"}.get(*words, *words)
    assert find(issued, ids.new_id("ps"), "AB12CD").id == issued.id


def test_the_desk_corrects_whom_and_by_what(town):
    finance, citizen = officer(town, "finance"), by_wechat(town).papers()
    assert citizen.register().status_code == 200
    told = notice(payer_id_no=fresh_id_no())
    issued = pushed(town, finance, **told)
    again = at_desk(town, finance, "POST", "/bills", told | {"second_factor": "ZZ99ZZ"})
    assert (again.status_code, slug(again)) == (409, "bill-number-taken")
    assert [fault["field"] for fault in again.json()["errors"]] == ["second_factor"]
    wish = {"principal_fen": 10_000, "due_on": issued["due_on"], "reason": "填写有误"}
    path, secrets = f"/bills/{issued['id']}/correction", {"second_factor": "ZZ99ZZ"}
    answer = at_desk(town, finance, "POST", path, wish | secrets | {"payer_id_no": citizen.id_no})
    assert answer.status_code == 200, answer.text
    assert [one["id"] for one in citizen.ask("GET", "/bills").json()] == [issued["id"]]
    assert find(run_unit(lambda u: payments.bill_of(u, issued["id"])), ids.new_id("ps"), "ZZ99ZZ")


def test_a_named_payer_who_was_wrong_sees_it_no_more(town):
    finance, citizen = officer(town, "finance"), by_wechat(town).papers()
    assert citizen.register().status_code == 200
    issued = pushed(town, finance, payer_id_no=citizen.id_no)
    wish = {"principal_fen": 10_000, "due_on": issued["due_on"], "reason": "当事人有误", "payer_id_no": ""}
    assert at_desk(town, finance, "POST", f"/bills/{issued['id']}/correction", wish).status_code == 200
    assert citizen.ask("GET", "/bills").json() == []


def test_the_payer_who_takes_another_place_is_told(bill, town):
    citizen = by_wechat(town).papers()
    assert citizen.register().status_code == 200
    issued = bill(payer_id_no=ONE)
    correct(issued, payer_id_no=citizen.id_no)
    assert [event["person_id"] for event in events_of(issued.id, "BillIssued")] == [None, citizen.id]
    correct(issued, payer_id_no=citizen.id_no.lower())
    assert len(events_of(issued.id, "BillIssued")) == 2


def test_who_begins_to_pay_stops_a_correction_of_secrets(bill):
    issued, payer = bill(), Actor("citizen", ids.new_id("ps"))
    find(issued, payer.id, "AB12CD")
    run_unit(lambda u: payments.open_bill_payment(u, issued.id, payer.id, "wechat_pay", payer))
    with pytest.raises(payments.BillBeingPaid):
        correct(issued, factor="ZZ99ZZ")
    assert find(issued, payer.id, "AB12CD").id == issued.id
