"""Somebody pays for somebody else (代付): the code, what it shows, what it never shows, and where money goes back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

import payments
from backend import cases, catalogue
from backend.kernel import clock, ids
from backend.kernel.problems import TooMany
from backend.store.unit import Actor, run_unit
from payments import tasks
from tests.cases import makers as case_makers
from tests.payments.makers import CLERK, Desk, hear, succeeded
from tests.payments.street import until
from tests.payments.test_windows import approve, found, pushed, show
from tests.people.makers import Citizen, Officer, by_wechat, officer, slug

WISH = {"channel": "wechat_pay"}


def make(desk: Desk) -> payments.PayLinkMade:
    return run_unit(lambda u: payments.make_link(u, desk.subject, desk.matter, desk.person_id, desk.payer))


def end(desk: Desk, link: payments.PayLinkMade) -> payments.PayLinkView:
    return run_unit(lambda u: payments.end_link(u, link.id, desk.person_id, desk.payer))


def find(code: str, payer_id: str = "", sender: str = "") -> payments.LinkFound:
    return payments.find_link(payer_id or ids.new_id("ps"), code, sender)


def test_a_code_opens_the_debt_however_it_is_typed(desk):
    link = make(desk)
    typed = f" {link.code[:4].lower()}-{link.code[4:]} ".replace("0", "o").replace("1", "l")
    opened = find(typed)
    assert (opened.case_id, opened.bill_id, opened.owner_id) == (desk.matter, None, desk.person_id)
    assert opened.expires_at - clock.now() > timedelta(hours=23)


def test_the_code_itself_is_kept_nowhere(desk):
    link = make(desk)
    rows = run_unit(lambda u: str(u.session.execute(text("SELECT * FROM payments_pay_link")).all()))
    told = str(run_unit(lambda u: u.journal_of(desk.matter)))
    assert link.code not in rows + told
    assert "pay_link_made" in told


def test_a_new_code_ends_the_one_before(desk):
    first, second = make(desk), make(desk)
    with pytest.raises(payments.PayLinkNotFound):
        find(first.code)
    assert find(second.code).owner_id == desk.person_id


def test_a_code_is_over_after_a_day(desk):
    link = make(desk)
    clock.advance(timedelta(hours=24))
    with pytest.raises(payments.PayLinkNotFound):
        find(link.code)


def test_its_owner_may_end_a_code(desk):
    link = make(desk)
    assert end(desk, link).ended_at == end(desk, link).ended_at
    with pytest.raises(payments.PayLinkNotFound):
        find(link.code)


def test_a_code_that_ended_after_it_was_found_opens_nothing(desk):
    link = make(desk)
    opened = find(link.code)
    end(desk, link)
    with pytest.raises(payments.PayLinkNotFound):
        run_unit(lambda u: payments.hold_link(u, opened))


def test_nobody_else_ends_a_code(desk):
    link, stranger = make(desk), Desk(ids.new_id("ps"), desk.subject, desk.matter)
    with pytest.raises(payments.PayLinkNotFound):
        end(stranger, link)
    assert find(link.code).owner_id == desk.person_id


def test_a_paid_debt_needs_no_code(desk):
    desk.paid()
    with pytest.raises(payments.FeeAlreadyPaid):
        make(desk)


def test_guessing_codes_ends_after_five_tries(desk):
    link, guesser = make(desk), ids.new_id("ps")
    for _ in range(5):
        with pytest.raises(payments.PayLinkNotFound):
            find("0" * 12, guesser)
    with pytest.raises(TooMany):
        find(link.code, guesser)
    for _ in range(12):
        find(link.code, desk.person_id)


def test_one_address_guesses_sixty_codes_an_hour(desk):
    sender = ids.digits(24)
    for _ in range(60):
        with pytest.raises(payments.PayLinkNotFound):
            find("0" * 12, sender=sender)
    with pytest.raises(TooMany):
        find(make(desk).code, sender=sender)


def test_ending_a_code_closes_what_others_began(desk):
    link, own = make(desk), desk.open("alipay")
    helper = ids.new_id("ps")
    other = desk.open(person_id=helper, by=Actor("citizen", helper), owed_by=desk.person_id)
    end(desk, link)
    assert (desk.look(other).state, desk.look(own).state) == ("closing", "created")
    hear(succeeded(other))
    assert desk.look(other).state == "paid"


def test_paying_for_oneself_is_nobody_elses_payment(desk):
    assert desk.open(owed_by=desk.person_id).owed_by is None


def test_a_payers_own_payment_is_not_taken_for_anothers(desk):
    helper = ids.new_id("ps")
    first = desk.open(person_id=helper)
    second = desk.open(person_id=helper, owed_by=desk.person_id)
    assert (second.owed_by, desk.look(first).state) == (desk.person_id, "closing")


def test_the_receipt_belongs_to_whoever_owed(desk):
    helper = ids.new_id("ps")
    payment = desk.open(person_id=helper, owed_by=desk.person_id)
    hear(succeeded(payment))
    assert run_unit(lambda u: payments.receipt_of(u, payment.id, desk.person_id)).payment_id == payment.id
    with pytest.raises(payments.PaymentNotFound):
        run_unit(lambda u: payments.receipt_of(u, payment.id, helper))
    assert run_unit(lambda u: payments.payment_of(u, payment.id, helper)).state == "paid"


def test_old_links_are_forgotten(desk):
    link = make(desk)
    clock.advance(timedelta(days=91))
    tasks.forget_guesses()
    assert run_unit(lambda u: payments.links_of(u, desk.person_id)) == []
    with pytest.raises(payments.PayLinkNotFound):
        end(desk, link)


@pytest.fixture(scope="module")
def finance(town: Any) -> Officer:
    return officer(town, "finance", "window_clerk")


@pytest.fixture(scope="module")
def owner(town: Any) -> Citizen:
    citizen = by_wechat(town).papers()
    assert citizen.register().status_code == 200
    return citizen


@pytest.fixture
def helper(town: Any) -> Citizen:
    return by_wechat(town)


def shared(owner: Citizen, path: str) -> dict[str, Any]:
    answer = owner.ask("POST", f"{path}/pay-links")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def look(helper: Citizen, code: str) -> Any:
    return helper.ask("POST", "/pay-links/lookup", {"code": code})


def begin(helper: Citizen, code: str, **more: Any) -> Any:
    return helper.ask("POST", "/pay-links/payments", WISH | {"code": code} | more)


def test_a_friend_pays_a_bill_and_sees_no_more_than_needed(town, owner, helper, finance):
    bill = found(owner, pushed(town, finance))
    link = shared(owner, f"/bills/{bill['id']}")
    seen = look(helper, link["code"]).json()
    assert sorted(seen) == ["amount_fen", "expires_at", "item", "owner", "unit"]
    assert (seen["item"], seen["unit"], seen["amount_fen"]) == (bill["item"], bill["executing_unit"], 10_000)
    assert owner.name not in str(seen)
    assert seen["owner"].startswith(owner.name[0])
    assert seen["owner"].endswith("*")
    order = begin(helper, link["code"]).json()
    approve(town, helper, order)
    until(lambda: show(helper, order)["payment"]["state"] == "paid")
    assert bill["id"] not in str(show(helper, order))
    assert helper.ask("GET", "/bills").json() == []
    assert owner.ask("GET", f"/bills/{bill['id']}").json()["state"] == "paid"
    mine = owner.ask("GET", "/pay-links").json()[0]
    assert (mine["id"], mine["payment_id"], "code" in mine) == (link["id"], order["payment_id"], False)
    assert slug(owner.ask("GET", f"/payments/{order['payment_id']}")) == "not-found"
    assert slug(helper.ask("GET", f"/payments/{order['payment_id']}/receipt")) == "not-found"
    assert slug(begin(helper, link["code"])) == slug(look(helper, link["code"])) == "fee-already-paid"


def test_money_back_goes_to_whoever_paid(town, owner, helper, finance):
    bill = found(owner, pushed(town, finance))
    order = begin(helper, shared(owner, f"/bills/{bill['id']}")["code"]).json()
    approve(town, helper, order)
    until(lambda: show(helper, order)["payment"]["state"] == "paid")
    payment = run_unit(lambda u: payments.payment_of(u, order["payment_id"]))
    assert (payment.person_id, payment.owed_by) == (helper.id, owner.id)
    run_unit(lambda u: payments.request_refund(u, payment.id, 4_000, "多收费用", CLERK))
    assert [one["amount_fen"] for one in show(helper, order)["refunds"]] == [4_000]


def test_a_friend_pays_the_fee_of_a_case(town, owner, helper):
    run_unit(catalogue.load_base_data)
    case_id = fee_case(owner)
    link = shared(owner, f"/cases/{case_id}")
    seen, land = (
        look(helper, link["code"]).json(),
        run_unit(lambda u: catalogue.department(u, case_makers.LAND)),
    )
    assert (seen["unit"], seen["amount_fen"]) == (land.name, 9_000)
    order = begin(helper, link["code"]).json()
    assert order["amount_fen"] == 9_000
    approve(town, helper, order)
    until(lambda: show(helper, order)["payment"]["state"] == "paid")
    assert case_id not in str(show(helper, order)) + str(helper.ask("GET", "/payments").json())
    assert slug(helper.ask("GET", f"/cases/{case_id}")) == "not-found"


def fee_case(owner: Citizen) -> str:
    """A case of the owner's that waits for its fee."""
    boss = case_makers.officer()

    def work(u: Any) -> str:
        filed = case_makers.application(u, owner.id, "SI025")
        return cases.submit_case(u, filed, case_makers.citizen(owner.id)).case_id

    catalogue.open_catalogue(Actor("system", "system"))
    case_id = run_unit(work)
    run_unit(lambda u: cases.pass_pre_review(u, case_id, boss))
    run_unit(lambda u: cases.accept(u, case_id, boss))
    return case_id


def test_only_its_owner_shares_a_debt(town, owner, helper, finance):
    assert helper.papers().register().status_code == 200
    bill = found(owner, pushed(town, finance))
    assert slug(helper.ask("POST", f"/bills/{bill['id']}/pay-links")) == "bill-not-found"
    assert slug(helper.ask("POST", f"/cases/{ids.new_id('cs')}/pay-links")) == "not-found"


def test_whoever_asks_for_help_has_a_name(town, helper, finance):
    bill = found(helper, pushed(town, finance))
    assert slug(helper.ask("POST", f"/bills/{bill['id']}/pay-links")) == "real-name-needed"


def test_a_debt_that_cannot_be_paid_is_not_shared(town, owner, helper, finance):
    large = found(owner, pushed(town, finance, principal_fen=20_001))
    assert slug(owner.ask("POST", f"/bills/{large['id']}/pay-links")) == "must-visit-window"
    gone = found(owner, pushed(town, finance))
    link = shared(owner, f"/bills/{gone['id']}")
    run_unit(lambda u: payments.withdraw_bill(u, gone["id"], None, "重复开具", CLERK))
    assert slug(owner.ask("POST", f"/bills/{gone['id']}/pay-links")) == "bill-not-due"
    assert slug(look(helper, link["code"])) == slug(begin(helper, link["code"])) == "bill-not-due"


def test_wrong_ended_and_foreign_codes_look_the_same(town, owner, helper, finance):
    bill = found(owner, pushed(town, finance))
    link = shared(owner, f"/bills/{bill['id']}")
    assert slug(helper.ask("POST", f"/pay-links/{link['id']}/end")) == "pay-link-not-found"
    assert owner.ask("POST", f"/pay-links/{link['id']}/end").status_code == 200
    answers = [look(helper, link["code"]), begin(helper, "0" * 12), look(helper, "不是代付码不是代付码不是")]
    told = [{k: v for k, v in one.json().items() if k != "instance"} for one in answers]
    assert slug(answers[0]) == "pay-link-not-found"
    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 123456789012}, {"code": "A" * 21}])
def test_a_malformed_code_is_refused(helper, body):
    assert slug(helper.ask("POST", "/pay-links/lookup", body)) == "invalid-input"


def test_guessing_codes_over_the_counter_is_stopped(helper):
    slugs = [slug(begin(helper, "0" * 12)) for _ in range(6)]
    assert slugs == ["pay-link-not-found"] * 5 + ["too-many-requests"]


def test_a_code_needs_a_proven_phone(town):
    assert slug(look(by_wechat(town, with_phone=False), "0" * 12)) == "phone-needed"
