"""Pushing bills: lines that add up, rates, correction, and whom a bill names. Without any telephone."""

from dataclasses import replace
from datetime import timedelta

import pytest

import payments
from backend import people
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput
from backend.store.unit import Actor, run_unit
from tests.payments.makers import CLERK, FINE_OF_100_YUAN, enter_payee, hear, succeeded
from tests.people.makers import fresh_id_no

TWO_LINES = (payments.BillLine("A-1", "登记费", 8_000), payments.BillLine("A-2", "工本费", 2_000))


def correct(bill, principal_fen=9_000, reason="裁量有误", **words) -> payments.BillView:
    amounts = replace(payments.BillCorrection(principal_fen, 0, 0, bill.due_on), **words)
    return run_unit(lambda u: payments.correct_bill(u, bill.id, "BZ-TEST", amounts, reason, CLERK))


def opened(bill) -> payments.PaymentView:
    payer = Actor("citizen", ids.new_id("ps"))
    payments.look_up_bill(payer.id, bill.notice_no, "AB12CD")
    return run_unit(lambda u: payments.open_bill_payment(u, bill.id, payer.id, "wechat_pay", payer))


def test_a_bill_shows_its_lines_in_order(bill):
    issued = bill(items=TWO_LINES, kind="fee")
    shown = run_unit(lambda u: payments.bill_of(u, issued.id))
    assert (shown.items, shown.principal_fen) == (TWO_LINES, 10_000)


def test_a_bill_without_lines_has_its_item(bill):
    assert bill().items == (payments.BillLine("", FINE_OF_100_YUAN.item, 10_000),)


def test_sixteen_digits_are_a_number_too(bill):
    number = ids.digits(16)
    issued = bill(notice_no=number)
    assert payments.look_up_bill(ids.new_id("ps"), number, "AB12CD").id == issued.id


def test_lines_must_add_up_to_the_principal(bill):
    with pytest.raises(payments.ItemsDoNotAddUp) as told:
        bill(items=TWO_LINES, principal_fen=10_001)
    assert told.value.extra["items_fen"] == 10_000


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"principal_fen": 100.0}, payments.AmountOutOfRange),
        ({"principal_fen": True}, payments.AmountOutOfRange),
        ({"principal_fen": 0}, payments.AmountOutOfRange),
        ({"principal_fen": -5}, payments.AmountOutOfRange),
        ({"principal_fen": 100_000_001}, payments.AmountOutOfRange),
        ({"overdue_fen": 0.5}, payments.AmountOutOfRange),
        ({"overdue_fen": 10_001}, payments.AmountOutOfRange),
        ({"items": (payments.BillLine("", "工本费", 0), *TWO_LINES)}, payments.AmountOutOfRange),
        ({"items": (payments.BillLine("", "工本费", -1), *TWO_LINES)}, payments.AmountOutOfRange),
        ({"items": (payments.BillLine("", "工本费", 10_000.0),)}, payments.AmountOutOfRange),
        ({"kind": "fee", "overdue_ppm": -1}, payments.RateOutOfRange),
        ({"kind": "fee", "overdue_ppm": 100_001}, payments.RateOutOfRange),
        ({"kind": "fee", "overdue_ppm": 0.5}, payments.RateOutOfRange),
        ({"kind": "fine", "overdue_ppm": 500}, payments.RateOutOfRange),
        ({"items": (payments.BillLine("", "", 10_000),)}, InvalidInput),
        ({"items": (payments.BillLine("x" * 31, "工本费", 10_000),)}, InvalidInput),
        ({"items": tuple([payments.BillLine("", "工本费", 100)] * 100)}, InvalidInput),
        ({"unit_code": "有误"}, InvalidInput),
        ({"region_code": "3416"}, InvalidInput),
        ({"payer_id_no": "341602199001010010"}, InvalidInput),
    ],
)
def test_each_fault_of_a_bill_has_its_problem(bill, words, problem):
    with pytest.raises(problem) as told:
        bill(**words)
    assert type(told.value) is problem
    assert told.value.errors


@pytest.mark.parametrize(
    "words",
    [
        {"items": TWO_LINES},
        {"region_code": "341623"},
        {"unit_code": "X-77"},
        {"due_on": clock.today() + timedelta(days=40)},
    ],
)
def test_another_content_needs_another_number(bill, words):
    number = ids.digits(20)
    bill(notice_no=number)
    with pytest.raises(payments.BillNumberTaken):
        bill(notice_no=number, **words)


def test_a_bill_with_lines_pushed_again_is_the_same(bill):
    number = ids.digits(20)
    first, second = (bill(notice_no=number, items=TWO_LINES, kind="fee", overdue_ppm=5) for _ in range(2))
    assert first.id == second.id


def test_a_batch_tells_of_each_line(bill):
    taken, known = ids.digits(20), bill()
    drafts = [
        replace(FINE_OF_100_YUAN, notice_no=taken),
        replace(FINE_OF_100_YUAN, notice_no=known.notice_no, principal_fen=1),
        replace(FINE_OF_100_YUAN, notice_no=ids.digits(20), items=TWO_LINES, principal_fen=1),
        replace(FINE_OF_100_YUAN, notice_no=ids.digits(20), region_code="110000"),
        replace(FINE_OF_100_YUAN, notice_no=taken),
    ]
    told = run_unit(lambda u: payments.issue_bills(u, drafts, CLERK, only_here))
    assert [line.line for line in told] == [1, 2, 3, 4, 5]
    assert [line.problem for line in told] == [
        None, "bill-number-taken", "bill-items-do-not-add-up", "outside-your-scope", None,
    ]  # fmt: skip
    assert told[0].bill_id == told[4].bill_id
    assert told[2].errors[0].field == "items"
    assert run_unit(lambda u: payments.bill_of(u, told[0].bill_id or "")).state == "due"


def only_here(draft: payments.BillDraft) -> None:
    if not draft.region_code.startswith("3416"):
        raise people.OutsideYourScope


def test_a_correction_replaces_amounts_and_is_written_down(bill):
    issued = bill(items=TWO_LINES, kind="fee")
    line = payments.BillLine("A-2", "工本费", 2_500)
    corrected = correct(issued, 2_500, overdue_fen=5, overdue_ppm=300, items=(line,))
    assert (corrected.principal_fen, corrected.total_fen, corrected.overdue_ppm) == (2_500, 2_505, 300)
    assert run_unit(lambda u: payments.bill_of(u, issued.id)).items == (line,)
    told = run_unit(lambda u: u.journal_of(issued.id))[-1]
    assert (told.trigger, told.facts) == (
        "corrected", {"reason": "裁量有误", "was_fen": 10_000, "principal_fen": 2_500},
    )  # fmt: skip


def test_a_bill_being_paid_is_not_corrected(bill):
    issued = bill()
    payment = opened(issued)
    with pytest.raises(payments.BillBeingPaid):
        correct(issued)
    hear(succeeded(payment, trigger="closed", amount_fen=None))
    assert correct(issued).total_fen == 9_000


def test_a_paid_bill_is_not_corrected(bill):
    issued = bill()
    hear(succeeded(opened(issued)))
    with pytest.raises(payments.BillNotDue):
        correct(issued)


def test_a_correction_is_checked_like_a_push(bill):
    issued = bill()
    with pytest.raises(payments.AmountOutOfRange):
        correct(issued, 0)
    with pytest.raises(payments.RateOutOfRange):
        correct(issued, overdue_ppm=500)
    with pytest.raises(payments.ItemsDoNotAddUp):
        correct(issued, items=TWO_LINES)
    with pytest.raises(InvalidInput):
        correct(issued, due_on=clock.today().replace(year=2000))
    assert run_unit(lambda u: payments.bill_of(u, issued.id)).total_fen == 10_000


def test_another_department_corrects_nothing(bill):
    issued = bill()
    amounts = payments.BillCorrection(1, 0, 0, issued.due_on)
    with pytest.raises(payments.BillNotFound):
        run_unit(lambda u: payments.correct_bill(u, issued.id, "BZ-OTHER", amounts, "测试", CLERK))


@pytest.mark.parametrize("days", [0, 14])
def test_a_fine_is_never_due_before_the_fifteenth_day(bill, days):
    early = clock.today() + timedelta(days=days)
    with pytest.raises(InvalidInput) as pushed:
        bill(due_on=early)
    issued = bill(due_on=clock.today() + timedelta(days=15))
    with pytest.raises(InvalidInput) as corrected:
        correct(issued, due_on=early)
    draft = replace(FINE_OF_100_YUAN, notice_no=ids.digits(20), issued_on=clock.today(), due_on=early)
    [line] = run_unit(lambda u: payments.issue_bills(u, [draft], CLERK, lambda _: None))
    assert [fault["field"] for fault in pushed.value.extra["errors"]] == ["due_on"]
    assert [fault["field"] for fault in corrected.value.extra["errors"]] == ["due_on"]
    assert [fault.field for fault in line.errors] == ["due_on"]


def test_a_fine_from_data_keeps_its_fifteen_days(database):
    row = {"notice_no": ids.digits(20), "issued_days_ago": 5, "due_on": clock.today()}
    told = {name: getattr(FINE_OF_100_YUAN, name) for name in FINE_OF_100_YUAN.__slots__} | row
    told = {name: value for name, value in told.items() if name not in ("issued_on", "items")}
    with pytest.raises(InvalidInput):
        run_unit(lambda u: payments.load_bills(u, [told], CLERK))


def test_a_unit_code_must_be_the_departments_own(bill):
    department_id, code = enter_payee(), f"U-{ids.digits(8)}"
    known = enter_payee(code)
    assert bill(department_id=known, unit_code=code).unit_code == code
    for stranger in (department_id, "BZ-NOBODY"):
        with pytest.raises(InvalidInput) as told:
            bill(department_id=stranger, unit_code=code)
        assert [fault["field"] for fault in told.value.extra["errors"]] == ["unit_code"]


def test_whom_a_bill_names_must_be_registered_to_see_it(bill):
    bill(payer_id_no=fresh_id_no())
    nobody = ids.new_id("ps")
    assert run_unit(lambda u: payments.bills_of(u, nobody)) == []
