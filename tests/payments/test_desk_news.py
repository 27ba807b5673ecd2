"""The desk for news that cannot be used: who sees which, and who says what it was."""

from typing import Any

import pytest

import payments
from backend.store.unit import run_unit
from tests.payments.makers import hear, succeeded
from tests.payments.test_set_aside_news import heard, news, stranger, told_of
from tests.payments.test_windows import at_desk, begin, found, pushed
from tests.people.makers import Citizen, Officer, by_wechat, officer, slug

LOOKED_INTO = {"reason": "已与渠道核对，是测试商户的款项"}


@pytest.fixture(scope="module")
def citizen(town: Any) -> Citizen:
    return by_wechat(town)


@pytest.fixture(scope="module")
def finance(town: Any) -> Officer:
    return officer(town, "finance", "window_clerk")


@pytest.fixture(scope="module")
def office(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code="341600")


def order_of(town: Any, citizen: Citizen, clerk: Officer) -> payments.PaymentView:
    order = begin(citizen, found(citizen, pushed(town, clerk))).json()
    return run_unit(lambda u: payments.payment_of(u, order["payment_id"]))


def listed(town: Any, clerk: Officer, query: str = "") -> list[dict[str, Any]]:
    answer = at_desk(town, clerk, "GET", f"/money-news?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def waiting(town: Any, clerk: Officer) -> int:
    return at_desk(town, clerk, "GET", "/money-pending").json()["news"]["count"]


def test_a_department_sees_news_of_its_payments_alone(town, citizen, finance, office):
    payment = order_of(town, citizen, finance)
    hear(succeeded(payment))
    before = waiting(town, finance), waiting(town, office)
    hear(succeeded(payment, reference="tx-another"))
    unknown = heard(stranger())
    for clerk, sees in ((finance, [payment.number]), (office, [unknown.subject, payment.number])):
        shown = [one["number"] for one in listed(town, clerk, "state=open")]
        assert [number for number in shown if number in (unknown.subject, payment.number)] == sees
    assert (waiting(town, finance), waiting(town, office)) == (before[0] + 1, before[1] + 2)
    elsewhere = officer(town, "finance", department_id="BZ-OTHER")
    assert listed(town, elsewhere) == []


def test_no_raw_notice_is_shown(town, office):
    heard(stranger())
    assert "secret raw" not in at_desk(town, office, "GET", "/money-news").text


def test_a_county_office_learns_nothing_of_unknown_money(town):
    county = officer(town, "finance", department_id=None, region_code="341602")
    before = waiting(town, county)
    notice = heard(stranger())
    assert waiting(town, county) == before
    assert notice.subject not in [one.number for one in news(is_office=False)]
    assert notice.subject not in [one["number"] for one in listed(town, county)]
    [unknown] = [one for one in news() if one.number == notice.subject]
    assert slug(at_desk(town, county, "POST", f"/money-news/{unknown.id}/seen", LOOKED_INTO)) == "not-found"


def test_the_desk_says_what_the_news_was(town, citizen, finance):
    payment = order_of(town, citizen, finance)
    hear(succeeded(payment))
    hear(succeeded(payment, reference="tx-another"))
    [one] = [one for one in listed(town, finance, "state=open") if one["payment_id"] == payment.id]
    path, before = f"/money-news/{one['id']}/seen", waiting(town, finance)
    answer = at_desk(town, finance, "POST", path, LOOKED_INTO)
    assert (answer.status_code, answer.json()["reason"]) == (200, LOOKED_INTO["reason"])
    assert waiting(town, finance) == before - 1
    assert one["id"] in [seen["id"] for seen in listed(town, finance, "state=seen")]
    again = at_desk(town, finance, "POST", path, LOOKED_INTO)
    assert (again.status_code, slug(again)) == (409, "news-already-seen")


def test_strangers_cannot_put_news_aside(town, citizen, finance):
    payment = order_of(town, citizen, finance)
    hear(succeeded(payment))
    hear(succeeded(payment, reference="tx-another"))
    path = f"/money-news/{told_of(payment).id}/seen"
    elsewhere, clerk = officer(town, "finance", department_id="BZ-OTHER"), officer(town, "window_clerk")
    assert slug(at_desk(town, elsewhere, "POST", path, LOOKED_INTO)) == "not-found"
    assert slug(at_desk(town, clerk, "POST", path, LOOKED_INTO)) == "outside-your-scope"
    assert slug(at_desk(town, clerk, "GET", "/money-news")) == "outside-your-scope"
    for body in ({}, {"reason": "好"}, {"reason": "长" * 81}):
        assert at_desk(town, finance, "POST", path, body).status_code in (400, 422)
    assert told_of(payment).state == "open"


def test_the_list_of_news_is_paged(town, office):
    numbers = [heard(stranger()).subject for _ in range(3)]
    first = at_desk(town, office, "GET", "/money-news?limit=2").json()
    rest = at_desk(town, office, "GET", f"/money-news?limit=2&cursor={first['next']}").json()
    assert [one["number"] for one in first["items"]] == numbers[:0:-1]
    assert rest["items"][0]["number"] == numbers[0]
