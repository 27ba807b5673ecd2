"""Pages of a region's desk: full while more exists, whatever lies in other regions in between."""

from typing import Any

import pytest

import payments
from backend import cases, catalogue, people
from backend.kernel import ids
from backend.store.unit import run_unit
from payments.models import Payment
from tests.payments.makers import CLERK, Desk, hear, succeeded
from tests.payments.test_pay_links import fee_case
from tests.people.makers import by_wechat

HERE, THERE = "341602", "341623"


@pytest.fixture
def payee(database: str) -> str:
    """A department whose desk was empty before."""
    return f"BZ-{ids.digits(8)}"


def paid(payee: str, region_code: str | None) -> payments.PaymentView:
    case_id = ids.new_id("cs")
    desk = Desk(ids.new_id("ps"), payments.subject_of_case(case_id), case_id)
    payment = desk.open(payee=payee, region_code=region_code)
    hear(succeeded(payment))
    return payment


def mixed(payee: str) -> list[payments.PaymentView]:
    """The payments of here, newest first; between them lie those of elsewhere."""
    regions = [HERE, THERE, THERE, f"{HERE}101", THERE, THERE, HERE]
    made = [(region, paid(payee, region)) for region in regions]
    return [payment for region, payment in reversed(made) if region.startswith(HERE)]


def scope(payee: str, region_code: str | None = HERE) -> list[people.Scope]:
    return [people.Scope("finance", payee, region_code)]


def page(payee: str, **asked: Any) -> list[str]:
    wanted = payments.PaymentFilter()
    return [
        one.id
        for one in run_unit(lambda u: payments.payments_at_desk(u, scope(payee), wanted, limit=2, **asked))
    ]


def test_a_page_of_payments_is_full_while_more_exist(payee):
    mine = [payment.id for payment in mixed(payee)]
    assert page(payee) == mine[:2]
    assert page(payee, before=mine[1]) == mine[2:]


def test_a_page_of_refunds_is_full_while_more_exist(payee):
    mine = mixed(payee)
    asked = [
        run_unit(lambda u, p=payment: payments.request_refund(u, p.id, 100, "多收费用", CLERK)).id
        for payment in [*reversed(mine), paid(payee, THERE), paid(payee, THERE)]
    ]
    found = run_unit(
        lambda u: payments.refunds_at_desk(u, ("requested",), payee, limit=3, reach=scope(payee))
    )
    assert [one.refund.id for one in found] == asked[2::-1]


def test_what_waits_elsewhere_is_not_counted_here(payee):
    for region in (HERE, THERE):
        payment = paid(payee, region)
        run_unit(lambda u, p=payment: payments.contest(u, p.id, "有疑问", CLERK))
    pending = run_unit(lambda u: payments.money_pending(u, scope(payee), is_office=False))
    everywhere = run_unit(lambda u: payments.money_pending(u, scope(payee, None), is_office=False))
    assert (pending.disputed.count, everywhere.disputed.count) == (1, 2)


def test_a_payment_without_a_region_is_the_departments(payee):
    payment = paid(payee, None)
    assert page(payee) == [payment.id]


def test_the_fee_of_a_case_knows_its_region(town):
    run_unit(catalogue.load_base_data)
    owner = by_wechat(town).papers()
    assert owner.register().status_code == 200
    case_id = fee_case(owner)
    order = owner.ask("POST", f"/cases/{case_id}/payments", {"channel": "wechat_pay"})
    assert order.status_code == 201, order.text
    region = run_unit(lambda u: cases.case_brief(u, case_id).region_code)
    row = run_unit(lambda u: u.get(Payment, order.json()["payment_id"]))
    assert row is not None
    assert row.region_code == region
