"""The desk for many things at once: batch decisions, explanations, lines of a statement, credits put right."""

from typing import Any

import pytest

from backend.kernel import clock, ids
from backend.runtime.settings import settings
from backend.store import journal
from backend.store.unit import CLOCK, run_unit
from payments import reconciliation
from tests.payments.statement_makers import Told, found, fresh_day, reconciled, settled
from tests.payments.test_reconciliation_desk import a_day, at_desk, credit, paid_at
from tests.people.makers import Officer, officer, slug


@pytest.fixture(scope="module")
def office(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code=None)


@pytest.fixture(scope="module")
def colleague(town: Any) -> Officer:
    return officer(town, "finance", department_id=None, region_code=None)


@pytest.fixture(scope="module")
def department(town: Any) -> Officer:
    return officer(town, "finance")


def all_of(statement_id: str) -> dict[str, str]:
    return {number: one.id for (_, number), one in found(statement_id).items()}


def test_many_are_decided_with_one_reason(town, office):
    large = settings().money.refund_four_eyes_fen + 1
    statement_id, _ = a_day(Told("strangerM1", 700), Told("strangerM2", large), Told("strangerM3", 5))
    one = all_of(statement_id)
    run_unit(lambda u: reconciliation.decide(u, one["strangerM3"], "wait", "另日", CLOCK))
    asked = [one["strangerM1"], one["strangerM3"], "df-none", one["strangerM2"]]
    body = {"ids": asked, "decision": "book", "reason": "渠道补单"}
    told = at_desk(town, office, "POST", "/differences/decisions", body).json()
    assert [(line["id"], line["state"], line["problem"]) for line in told] == [
        (one["strangerM1"], "booked", None),
        (one["strangerM3"], None, "impossible-move"),
        ("df-none", None, "not-found"),
        (one["strangerM2"], "second", None),
    ]
    assert {number: seen.state for (_, number), seen in found(statement_id).items()} == {
        "strangerM1": "booked", "strangerM2": "second", "strangerM3": "waiting",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"ids": [], "decision": "book", "reason": "渠道补单"},
        {"ids": ["df-x"] * 201, "decision": "book", "reason": "渠道补单"},
        {"ids": ["df-x"], "decision": "ask", "reason": "渠道补单"},
        {"ids": ["df-x"], "decision": "book"},
    ],
)
def test_a_crooked_batch_is_refused(town, office, body):
    assert slug(at_desk(town, office, "POST", "/differences/decisions", body)) == "invalid-input"


def test_a_department_decides_and_explains_nothing(town, department):
    body = {"ids": ["df-x"], "decision": "book", "reason": "渠道补单"}
    assert slug(at_desk(town, department, "POST", "/differences/decisions", body)) == "outside-your-scope"
    told = at_desk(town, department, "POST", "/differences/df-x/explanation", {"reason": "渠道补单"})
    assert slug(told) == "outside-your-scope"
    assert slug(at_desk(town, department, "GET", "/statements/stm-x/lines")) == "outside-your-scope"


def test_differences_are_found_by_kind_and_department(town, office):
    payee, day = f"BZ-{ids.digits(6)}", fresh_day()
    payment = paid_at(payee, 800)
    statement_id = reconciled(day, [Told(payment.number, 799), Told("strangerM4", 700)])
    clock.reset()
    by_kind = f"/differences?statement_id={statement_id}&kind=missing_here"
    listed = at_desk(town, office, "GET", by_kind).json()["items"]
    assert [one["number"] for one in listed] == ["strangerM4"]
    mine = at_desk(town, office, "GET", f"/differences?department_id={payee}").json()["items"]
    assert [one["kind"] for one in mine] == ["amount_differs"]
    assert slug(at_desk(town, office, "GET", "/differences?kind=odd")) == "invalid-input"


def test_what_was_booked_is_explained_at_the_desk(town, office, colleague):
    large = settings().money.refund_four_eyes_fen + 1
    statement_id, _ = a_day(Told("strangerM5", large))
    at = f"/differences/{all_of(statement_id)['strangerM5']}"
    early = at_desk(town, office, "POST", f"{at}/explanation", {"reason": "渠道补单"})
    assert slug(early) == "impossible-move"
    at_desk(town, office, "POST", f"{at}/decision", {"decision": "book", "reason": "渠道补单"})
    word = {"agree": True, "reason": "同意"}
    at_desk(town, colleague, "POST", f"{at}/confirmation", word)
    told = at_desk(town, office, "POST", f"{at}/explanation", {"reason": "渠道已冲正"}).json()
    assert (told["says"], told["explanation"], told["explained_to"]) == ("待复核", "渠道已冲正", "channel")
    assert slug(at_desk(town, office, "POST", f"{at}/confirmation", word)) == "difference-same-hands"
    seen = at_desk(town, colleague, "POST", f"{at}/confirmation", word).json()
    assert (seen["says"], seen["explanation_confirmed_by"]) == ("已处理", colleague.id)


def test_a_statement_shows_its_lines_page_by_page(town, office):
    statement_id, payment = a_day(*(Told(f"strangerL{n}", 100 + n) for n in range(104)))
    at = f"/statements/{statement_id}"
    first = at_desk(town, office, "GET", f"{at}/lines").json()
    rest = at_desk(town, office, "GET", f"{at}/lines?cursor={first['next']}").json()
    lines = [*first["items"], *rest["items"]]
    assert (len(first["items"]), [one["line"] for one in lines]) == (100, list(range(1, 106)))
    assert (lines[0]["number"], lines[0]["amount_fen"], lines[0]["fee_fen"]) == (payment.number, 800, 5)
    shown = at_desk(town, office, "GET", at).json()
    assert (shown["lines"], shown["matched"], shown["unsolved"]) == (105, 1, 104)
    assert at_desk(town, office, "GET", "/statements/stm-none/lines").status_code == 404


def test_a_credit_typed_wrongly_is_withdrawn(town, office):
    payee = f"BZ-{ids.digits(6)}"
    statement_id, _ = a_day(payee=payee)
    wrong = credit(payee, 795, credited_on="2026-11-19")
    told = at_desk(town, office, "POST", "/bank-credits", wrong).json()
    at = f"/bank-credits/{told['id']}"
    assert slug(at_desk(town, office, "POST", f"{at}/withdrawal", {})) == "invalid-input"
    gone = at_desk(town, office, "POST", f"{at}/withdrawal", {"reason": "日期填错"}).json()
    assert (gone["settlements"], gone["withdrawal"], bool(gone["withdrawn_at"])) == ([], "日期填错", True)
    assert (
        slug(at_desk(town, office, "POST", f"{at}/withdrawal", {"reason": "日期填错"})) == "credit-withdrawn"
    )
    entries = run_unit(lambda u: journal.entries_of(u.session, told["id"]))
    assert [(one.trigger, one.facts.get("reason")) for one in entries][-1] == ("withdrawn", "日期填错")
    right = at_desk(town, office, "POST", "/bank-credits", wrong | {"credited_on": "2026-11-20"}).json()
    assert [one["id"] for one in right["settlements"]] == [settled(statement_id)[0].id]
    open_ones = at_desk(town, office, "GET", f"/bank-credits?payee={payee}&unmatched=true").json()
    assert open_ones["items"] == []


def test_a_withdrawn_credit_lets_another_have_its_days(town, office):
    payee = f"BZ-{ids.digits(6)}"
    statement_id, _ = a_day(payee=payee)
    first = at_desk(town, office, "POST", "/bank-credits", credit(payee, 795)).json()
    second = at_desk(town, office, "POST", "/bank-credits", credit(payee, 795)).json()
    assert second["settlements"] == []
    at_desk(town, office, "POST", f"/bank-credits/{first['id']}/withdrawal", {"reason": "重复登记"})
    seen = at_desk(town, office, "GET", f"/bank-credits/{second['id']}").json()
    assert [one["id"] for one in seen["settlements"]] == [settled(statement_id)[0].id]


def test_settlements_are_chosen_by_hand(town, office, department):
    payee = f"BZ-{ids.digits(6)}"
    (first, second, third), other = (a_day(payee=payee)[0] for _ in range(3)), a_day()[0]
    mine = sorted((settled(one)[0] for one in (first, second, third)), key=lambda one: one.day)
    told = at_desk(town, office, "POST", "/bank-credits", credit(payee, 1590)).json()
    assert {one["id"] for one in told["settlements"]} == {mine[0].id, mine[1].id}
    at = f"/bank-credits/{told['id']}/settlements"

    def choose(*chosen: str) -> Any:
        return at_desk(town, office, "POST", at, {"settlement_ids": list(chosen)})

    seen = choose(mine[0].id, mine[2].id).json()
    assert {one["id"] for one in seen["settlements"]} == {mine[0].id, mine[2].id}
    assert slug(choose(mine[1].id)) == "settlements-do-not-add-up"
    assert slug(choose(mine[1].id, settled(other)[0].id)) == "settlement-taken"
    assert choose(mine[1].id, "sm-none").status_code == 404
    later = at_desk(town, office, "POST", "/bank-credits", credit(payee, 795)).json()
    assert [one["id"] for one in later["settlements"]] == [mine[1].id]
    assert slug(choose(mine[0].id, mine[1].id)) == "settlement-taken"
    foreign = at_desk(town, department, "POST", at, {"settlement_ids": [mine[0].id]})
    assert foreign.status_code == 404
