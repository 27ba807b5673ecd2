"""The payee register: kept by the finance office, accounts sealed, and nobody pays to a payee that was stopped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import payments
from backend import catalogue
from backend.kernel import ids
from backend.kernel.problems import InvalidInput
from backend.store import rotation
from backend.store.unit import run_unit
from tests.payments.makers import CLERK, hear, succeeded
from tests.payments.test_windows import at_desk, notice
from tests.people.makers import Officer, officer, slug

ROWS = json.loads(Path("data/payees.json").read_text("utf-8"))["payees"]
TREE = "BZ-LY"
ACCOUNT = "6200111122223333"


@pytest.fixture(autouse=True)
def _register(database: str) -> Iterator[None]:
    run_unit(catalogue.load_base_data)
    run_unit(lambda u: u.session.execute(text("DELETE FROM payments_payee")))
    yield
    run_unit(lambda u: u.session.execute(text("DELETE FROM payments_payee")))


def given(**changes: Any) -> dict[str, Any]:
    return {
        "unit_code": f"U-{ids.digits(8)}", "name": "市林业局", "region_code": "341600", "purse": "own",
        "bank_name": "测试银行", "bank_account": ACCOUNT,
    } | changes  # fmt: skip


def keep(department_id: str = TREE, **changes: Any) -> payments.PayeeView:
    draft = payments.PayeeDraft(department_id=department_id, **given(**changes))
    return run_unit(lambda u: payments.keep_payee(u, draft, CLERK))


def stop(department_id: str = TREE, *, active: bool = False) -> payments.PayeeView:
    return run_unit(lambda u: payments.set_payee_active(u, department_id, "机构调整", CLERK, active=active))


def steps(department_id: str = TREE) -> list[tuple[str, Any]]:
    return [(line.trigger, line.facts) for line in run_unit(lambda u: u.journal_of(department_id))]


def test_an_account_is_sealed_and_shown_masked():
    assert keep().bank_account_masked == "*" * 12 + "3333"
    raw = run_unit(lambda u: u.session.scalar(text("SELECT bank_account FROM payments_payee")))
    assert ACCOUNT.encode() not in bytes(raw)


def test_a_change_names_what_changed_and_never_the_account():
    before, known = keep(), len(steps())
    keep(unit_code=before.unit_code, bank_account="6200111122224444")
    keep(unit_code=before.unit_code, bank_account="6200111122224444")
    keep(unit_code=before.unit_code, bank_account="6200111122224444", purse="treasury")
    told = steps()[known:]
    assert [facts["changed"] for _, facts in told] == [["bank_account"], ["purse"]]
    assert "4444" not in str(told)


def test_a_unit_code_belongs_to_one_payee():
    first = keep()
    with pytest.raises(payments.PayeeCodeTaken):
        keep("BZ-JY", unit_code=first.unit_code)


@pytest.mark.parametrize(
    "change",
    [
        {"unit_code": "x"}, {"name": ""}, {"region_code": "34"}, {"purse": "mine"}, {"bank_name": ""},
        {"bank_account": "1234567"}, {"bank_account": "六二零零一一一一"},
    ],
)  # fmt: skip
def test_a_malformed_payee_is_refused(change):
    with pytest.raises(InvalidInput) as told:
        keep(**change)
    assert [fault["field"] for fault in told.value.errors] == list(change)


def test_a_payee_is_a_department_of_the_town():
    with pytest.raises(catalogue.DepartmentUnknown):
        keep("BZ-NOWHERE")


def test_the_purse_of_whoever_is_not_listed_is_the_treasurys():
    keep(purse="own")
    purses = run_unit(lambda u: [payments.purse_of(u, one) for one in (TREE, "BZ-JY")])
    assert purses == ["own", "treasury"]


def test_nobody_pays_to_a_payee_that_was_stopped(desk, bill):
    keep()
    issued = bill(department_id=TREE)
    stop()
    with pytest.raises(payments.PayeeInactive):
        desk.open(payee=TREE, channel="alipay")
    with pytest.raises(payments.PayeeInactive):
        bill(department_id=TREE)
    payments.look_up_bill(desk.person_id, issued.notice_no, "AB12CD")
    with pytest.raises(payments.PayeeInactive):
        run_unit(lambda u: payments.open_bill_payment(u, issued.id, desk.person_id, "wechat_pay", desk.payer))


def test_money_under_way_reaches_a_stopped_payee(desk):
    keep()
    payment = desk.open(payee=TREE)
    stop()
    hear(succeeded(payment))
    assert desk.look(payment).state == "paid"


def test_a_payee_that_is_opened_again_is_paid(desk):
    keep()
    stop()
    assert stop(active=True).active
    assert desk.open(payee=TREE).state == "created"
    assert [what for what, _ in steps()][-2:] == ["payee_stopped", "payee_opened"]


def test_stopping_an_unknown_payee_is_refused():
    with pytest.raises(payments.PayeeNotFound):
        stop("BZ-JY")


def test_the_payees_of_the_demo_town_load_once():
    assert run_unit(lambda u: payments.load_payees(u, ROWS, CLERK)) == len(ROWS)
    assert run_unit(lambda u: payments.load_payees(u, ROWS, CLERK)) == 0
    assert [one.department_id for one in run_unit(payments.payee_register)] == ["BZ-GA", "BZ-GT"]


def test_a_change_of_keys_reaches_the_accounts():
    column = next(one for one in rotation.sealed_columns() if one.table == "payments_payee")
    keep()
    done, last = run_unit(lambda u: rotation._reseal_batch(u.session, column, ""))
    assert (done, last) == (1, TREE)


@pytest.fixture(scope="module")
def office(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code="341600")


def test_the_finance_office_keeps_the_register(town, office):
    entered = at_desk(town, office, "PUT", f"/payees/{TREE}", given())
    assert (entered.status_code, entered.json()["bank_account_masked"][-4:]) == (200, "3333")
    assert ACCOUNT not in entered.text
    assert [one["department_id"] for one in at_desk(town, office, "GET", "/payees").json()] == [TREE]
    stopped = at_desk(town, office, "POST", f"/payees/{TREE}/stop", {"reason": "机构调整"})
    assert stopped.json()["active"] is False
    opened = at_desk(town, office, "POST", f"/payees/{TREE}/reopening", {"reason": "恢复收款"})
    assert opened.json()["active"] is True


def test_bad_entries_are_told_at_the_desk(town, office):
    code = at_desk(town, office, "PUT", f"/payees/{TREE}", given()).json()["unit_code"]
    taken = at_desk(town, office, "PUT", "/payees/BZ-JY", given(unit_code=code))
    assert slug(taken) == "payee-code-taken"
    assert slug(at_desk(town, office, "PUT", f"/payees/{TREE}", given(bank_account="1"))) == "invalid-input"
    assert slug(at_desk(town, office, "PUT", "/payees/BZ-NOWHERE", given())) == "department-unknown"
    assert slug(at_desk(town, office, "POST", "/payees/BZ-JY/stop", {"reason": "测试"})) == "payee-not-found"


def test_a_departments_own_staff_only_look(town, office):
    at_desk(town, office, "PUT", f"/payees/{TREE}", given())
    own = officer(town, "finance", department_id=TREE, region_code="341600")
    assert at_desk(town, own, "GET", f"/payees/{TREE}").status_code == 200
    assert slug(at_desk(town, own, "GET", "/payees")) == "outside-your-scope"
    assert slug(at_desk(town, own, "PUT", f"/payees/{TREE}", given())) == "outside-your-scope"
    assert (
        slug(at_desk(town, own, "POST", f"/payees/{TREE}/stop", {"reason": "测试"})) == "outside-your-scope"
    )
    stranger = officer(town, "finance", department_id="BZ-JY", region_code="341600")
    assert slug(at_desk(town, stranger, "GET", f"/payees/{TREE}")) == "payee-not-found"


def test_a_county_office_keeps_no_payee_of_the_city(town, office):
    at_desk(town, office, "PUT", f"/payees/{TREE}", given())
    county = officer(town, "finance", department_id=None, region_code="341623")
    assert at_desk(town, county, "GET", "/payees").json() == []
    moved = at_desk(town, county, "PUT", f"/payees/{TREE}", given(region_code="341623"))
    assert slug(moved) == "outside-your-scope"
    assert (
        slug(at_desk(town, county, "POST", f"/payees/{TREE}/stop", {"reason": "测试"}))
        == "outside-your-scope"
    )


def test_a_push_to_a_stopped_payee_is_refused(town, office):
    at_desk(town, office, "PUT", f"/payees/{TREE}", given())
    at_desk(town, office, "POST", f"/payees/{TREE}/stop", {"reason": "机构调整"})
    own = officer(town, "finance", department_id=TREE)
    assert slug(at_desk(town, own, "POST", "/bills", notice())) == "payee-inactive"
