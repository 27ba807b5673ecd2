"""The finance office's desk over HTTP: who may look, who may decide, and workbooks that Excel can trust."""

import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
import requests

import payments
from backend.kernel import clock, ids
from backend.runtime.settings import settings
from backend.store.unit import run_unit
from payments import reconciliation
from tests.payments.makers import Desk, enter_payee, hear, succeeded
from tests.payments.statement_makers import Told, fresh_day, reconciled, settled
from tests.payments.test_reconciliation import FINANCE
from tests.people.makers import Officer, ask, officer, slug


@pytest.fixture(scope="module")
def office(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code=None)


@pytest.fixture(scope="module")
def colleague(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code=None)


@pytest.fixture(scope="module")
def department(town: Any) -> Officer:
    return officer(town, "finance")


@pytest.fixture(scope="module")
def stranger(town: Any) -> Officer:
    return officer(town, "finance", department_id="BZ-ELSEWHERE")


@pytest.fixture(scope="module")
def clerk(town: Any) -> Officer:
    return officer(town, "window_clerk", department_id=None)


def at_desk(town: Any, who: Officer, method: str, path: str, body: Any = None) -> Any:
    return ask(town, method, f"/dept/v1{path}", body, token=who.token)


def paid_at(payee: str, amount_fen: int, title: str = "不动产登记费") -> payments.PaymentView:
    case_id = ids.new_id("cs")
    desk = Desk(ids.new_id("ps"), payments.subject_of_case(case_id), case_id)
    payment = desk.open(payee=payee, amount_fen=amount_fen, title=title)
    hear(succeeded(run_unit(lambda u: payments.attach_ticket(u, payment.id, "ticket"))))
    return desk.look(payment)


def a_day(
    *lines: Told, payee: str = "BZ-TEST", title: str = "不动产登记费"
) -> tuple[str, payments.PaymentView]:
    """A reconciled day with one payment of 8 yuan and these lines beside it; the present again afterwards."""
    day = fresh_day()
    payment = paid_at(payee, 800, title)
    statement_id = reconciled(day, [Told(payment.number, 800, fee=5), *lines])
    clock.reset()
    return statement_id, payment


def difference(statement_id: str) -> reconciliation.DifferenceView:
    return run_unit(lambda u: reconciliation.differences(u, statement_id=statement_id))[0]


def test_the_office_sees_statements_and_what_is_unsolved(town, office):
    statement_id, _ = a_day(Told("strangerD1", 700))
    shown = at_desk(town, office, "GET", f"/statements/{statement_id}").json()
    assert (shown["says"], shown["lines"], shown["differences"], shown["unsolved"]) == ("已核对", 2, 1, 1)
    listed = at_desk(town, office, "GET", "/statements?channel=wechat_pay&state=reconciled").json()
    assert listed["items"][0]["id"] == statement_id


def test_lists_go_on_behind_their_first_page(town, office):
    statement_id, _ = a_day(*(Told(f"strangerP{n}", 100 + n) for n in range(23)))
    first = at_desk(town, office, "GET", f"/differences?statement_id={statement_id}&state=open").json()
    rest = at_desk(
        town, office, "GET", f"/differences?statement_id={statement_id}&state=open&cursor={first['next']}"
    ).json()
    numbers = [one["number"] for page in (first, rest) for one in page["items"]]
    assert (len(first["items"]), len(numbers), len(set(numbers)), rest["next"]) == (20, 23, 23, None)


@pytest.mark.parametrize("path", ["/statements", "/differences", "/statements/stm-x", "/differences/df-x"])
def test_a_department_sees_no_statements(town, department, clerk, path):
    assert slug(at_desk(town, department, "GET", path)) == "outside-your-scope"
    assert slug(at_desk(town, clerk, "GET", path)) == "outside-your-scope"


def test_a_difference_is_decided_with_a_reason(town, office):
    statement_id, _ = a_day(Told("strangerD2", 700))
    at = f"/differences/{difference(statement_id).id}"
    assert slug(at_desk(town, office, "POST", f"{at}/decision", {"decision": "book"})) == "invalid-input"
    assert (
        slug(at_desk(town, office, "POST", f"{at}/decision", {"decision": "lose", "reason": "不要"}))
        == "invalid-input"
    )
    answer = at_desk(town, office, "POST", f"{at}/decision", {"decision": "book", "reason": "渠道补单"})
    assert (answer.json()["says"], answer.json()["decision"], answer.json()["reason"]) == (
        "已记账",
        "book",
        "渠道补单",
    )
    again = at_desk(town, office, "POST", f"{at}/decision", {"decision": "wait", "reason": "渠道补单"})
    assert slug(again) == "impossible-move"


def test_a_large_difference_waits_for_a_colleague(town, office, colleague):
    statement_id, _ = a_day(Told("strangerD3", settings().money.refund_four_eyes_fen + 1))
    at = f"/differences/{difference(statement_id).id}"
    said = at_desk(town, office, "POST", f"{at}/decision", {"decision": "book", "reason": "渠道补单"})
    assert said.json()["says"] == "待复核"
    word = {"agree": True, "reason": "同意"}
    assert slug(at_desk(town, office, "POST", f"{at}/confirmation", word)) == "difference-same-hands"
    seen = at_desk(town, colleague, "POST", f"{at}/confirmation", word).json()
    assert (seen["says"], seen["confirmed_by"]) == ("已记账", colleague.id)


def test_asking_about_a_stranger_is_told_politely(town, office):
    statement_id, _ = a_day(Told("strangerD4", 700))
    at = f"/differences/{difference(statement_id).id}/decision"
    assert slug(at_desk(town, office, "POST", at, {"decision": "ask", "reason": "核实"})) == "nothing-to-ask"
    gone = at_desk(
        town, office, "POST", "/differences/df-none/decision", {"decision": "ask", "reason": "核实"}
    )
    assert gone.status_code == 404


def test_a_department_sees_its_own_settlements_only(town, office, department, stranger):
    statement_id, payment = a_day()
    made = settled(statement_id)[0]
    listed = at_desk(town, department, "GET", "/settlements").json()["items"]
    assert made.id in {one["id"] for one in listed}
    assert {one["payee"] for one in listed} == {"BZ-TEST"}
    lines = at_desk(town, department, "GET", f"/settlements/{made.id}/lines").json()["items"]
    assert [(one["payment_id"], one["amount_fen"], one["fee_fen"]) for one in lines] == [(payment.id, 800, 5)]
    assert at_desk(town, stranger, "GET", f"/settlements/{made.id}/lines").status_code == 404
    assert at_desk(town, stranger, "GET", f"/settlements/{made.id}/file").status_code == 404
    assert slug(at_desk(town, stranger, "GET", "/settlements?payee=BZ-TEST")) == "outside-your-scope"
    seen = at_desk(town, office, "GET", "/settlements?payee=BZ-TEST").json()["items"]
    assert made.id in {one["id"] for one in seen}


def credit(payee: str, fen: Any, **changes: Any) -> dict[str, Any]:
    told = {
        "payee": payee, "channel": "wechat_pay", "reference": ids.digits(12), "credited_on": "2026-11-20",
        "amount_fen": fen,
    }  # fmt: skip
    return told | changes


def test_a_credit_shows_which_payments_made_it(town, office, department):
    payee = f"BZ-{ids.digits(6)}"
    statement_id, _payment = a_day(payee=payee)
    told = at_desk(town, office, "POST", "/bank-credits", credit(payee, 795))
    assert told.status_code == 201
    assert [one["id"] for one in told.json()["settlements"]] == [settled(statement_id)[0].id]
    at = f"/bank-credits/{told.json()['id']}"
    assert at_desk(town, office, "GET", at).json() == told.json()
    assert at_desk(town, department, "GET", at).status_code == 404
    odd = at_desk(town, office, "POST", "/bank-credits", credit(payee, 5)).json()
    listed = at_desk(town, office, "GET", f"/bank-credits?payee={payee}&unmatched=true").json()["items"]
    assert [one["id"] for one in listed] == [odd["id"]]


@pytest.mark.parametrize("fen", [0, -1, 1.5, "8", 10**14])
def test_a_credit_of_no_amount_is_refused(town, office, fen):
    assert slug(at_desk(town, office, "POST", "/bank-credits", credit("BZ-TEST", fen))) == "invalid-input"


def test_a_credit_for_another_department_is_refused(town, stranger, office):
    told = credit("BZ-TEST", 5)
    assert slug(at_desk(town, stranger, "POST", "/bank-credits", told)) == "outside-your-scope"
    assert at_desk(town, office, "POST", "/bank-credits", told).status_code == 201
    other = at_desk(town, office, "POST", "/bank-credits", told | {"amount_fen": 6})
    assert slug(other) == "credit-reference-taken"


def workbook(answer: requests.Response) -> openpyxl.Workbook:
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["Content-Disposition"]
    return openpyxl.load_workbook(io.BytesIO(answer.content))


def rows(book: openpyxl.Workbook, title: str) -> list[tuple[Any, ...]]:
    return list(book[title].iter_rows(min_row=2, values_only=True))


def test_a_statement_leaves_as_a_workbook(town, office):
    statement_id, payment = a_day(Told("strangerD5", 700))
    book = workbook(at_desk(town, office, "GET", f"/statements/{statement_id}/file"))
    assert book.sheetnames == ["对账单", "差异", "结算", "明细"]
    assert [(one[1], one[2], one[5]) for one in rows(book, "差异")] == [("渠道有、本地无", "strangerD5", 7)]
    assert [(one[3], one[8]) for one in rows(book, "结算")] == [("BZ-TEST", 7.95)]
    assert [(one[2], one[4]) for one in rows(book, "明细")] == [(payment.number, 8), ("strangerD5", 7)]


def test_the_workbook_tells_what_booked_money_was(town, office):
    statement_id, _ = a_day(Told("strangerD8", 700))
    one = difference(statement_id)
    run_unit(lambda u: reconciliation.decide(u, one.id, "book", "渠道已收", FINANCE))
    run_unit(lambda u: reconciliation.explain(u, one.id, "fee", "渠道多扣的手续费", FINANCE))
    [told] = rows(workbook(at_desk(town, office, "GET", f"/statements/{statement_id}/file")), "差异")
    assert told[8:10] == ("记入差异账户", "渠道已收")
    assert told[12:15] == ("计入手续费", "渠道多扣的手续费", FINANCE.id)


def test_the_office_gives_a_strangers_money_to_its_department(town, office, department, stranger):
    payee = enter_payee()
    statement_id, _ = a_day(Told("strangerD9", 700, fee=4), payee=payee)
    one = difference(statement_id)
    run_unit(lambda u: reconciliation.decide(u, one.id, "book", "渠道已收", FINANCE))
    at, told = f"/differences/{one.id}/explanation", {"to": "payee", "reason": "扫了窗口的旧收款码"}
    assert slug(at_desk(town, office, "POST", at, told)) == "invalid-input"
    assert slug(at_desk(town, department, "POST", at, told)) == "outside-your-scope"
    solved = at_desk(town, office, "POST", at, told | {"department_id": payee}).json()
    assert (solved["says"], solved["explained_department"]) == ("已处理", payee)
    [listed] = at_desk(town, office, "GET", f"/payouts?payee={payee}").json()["items"]
    assert (listed["id"], listed["amount_fen"]) == (one.id, 696)
    assert slug(at_desk(town, stranger, "GET", f"/payouts?payee={payee}")) == "outside-your-scope"
    own = at_desk(town, department, "GET", "/payouts").json()["items"]
    assert {row["payee"] for row in own} <= {"BZ-TEST"}
    bank = at_desk(town, office, "POST", "/bank-credits", credit(payee, 795 + 696)).json()
    assert [row["id"] for row in bank["differences"]] == [one.id]
    at = f"/bank-credits/{bank['id']}"
    chosen = {"settlement_ids": [], "difference_ids": [one.id]}
    assert slug(at_desk(town, office, "POST", f"{at}/settlements", chosen)) == "settlements-do-not-add-up"
    chosen["settlement_ids"] = [settled(statement_id)[0].id]
    assert at_desk(town, office, "POST", f"{at}/settlements", chosen).json() == bank
    [line] = rows(workbook(at_desk(town, office, "GET", f"{at}/file")), "差异款项")
    assert (line[0], line[3], line[6], line[8]) == (one.id, payee, 6.96, bank["id"])
    [row] = rows(workbook(at_desk(town, office, "GET", f"/statements/{statement_id}/file")), "差异")
    assert (row[12], row[16]) == ("归某单位", payee)


def test_a_settled_line_is_given_to_nobody(town, office):
    statement_id, _ = a_day(payee=(payee := enter_payee()))
    day = run_unit(lambda u: reconciliation.statement_of(u, statement_id)).day
    clock.move_to(clock.at_local(day + timedelta(days=1), 12))
    payment = paid_at(payee, 800)
    one = difference(reconciled(day + timedelta(days=1), [Told(payment.number, 790)]))
    clock.reset()
    run_unit(lambda u: reconciliation.decide(u, one.id, "book", "渠道少付", FINANCE))
    told = {"to": "payee", "department_id": payee, "reason": "归该单位"}
    assert slug(at_desk(town, office, "POST", f"/differences/{one.id}/explanation", told)) == (
        "difference-pays-nobody"
    )


def test_a_title_never_becomes_a_formula(town, department):
    evil = '=HYPERLINK("http://evil.example","费")'
    statement_id, _ = a_day(title=evil)
    made = settled(statement_id)[0]
    book = workbook(at_desk(town, department, "GET", f"/settlements/{made.id}/file"))
    cell = book["明细"]["E2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (evil, "s", True)


def test_a_credit_leaves_with_every_payment_in_it(town, office):
    payee = f"BZ-{ids.digits(6)}"
    statement_id, payment = a_day(payee=payee)
    told = at_desk(town, office, "POST", "/bank-credits", credit(payee, 795)).json()
    book = workbook(at_desk(town, office, "GET", f"/bank-credits/{told['id']}/file"))
    day = run_unit(lambda u: reconciliation.statement_of(u, statement_id)).day
    assert [one[3] for one in rows(book, f"{day:%Y-%m-%d} 明细")] == [payment.id]
    assert day < clock.today() - timedelta(days=365)
