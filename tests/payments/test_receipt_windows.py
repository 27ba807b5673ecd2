"""The paper a payer takes home, the page that verifies it, and the finance office's desk."""

import io
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import text

import payments
from backend import people
from backend.kernel import ids
from backend.kernel.problems import NotFound
from backend.runtime import settings as read_settings
from backend.store.unit import run_unit
from tests.payments.receipt_makers import Receipts
from tests.people.makers import ask, by_wechat, officer, slug


@pytest.fixture
def mine(street: Any) -> Receipts:
    return Receipts(street)


def test_the_paper_says_what_the_receipt_says(mine: Receipts) -> None:
    receipt = mine.issued()
    words = run_unit(lambda u: payments.receipt_words(u, mine.payment.id))
    paper = payments.draw_receipt(words)
    assert paper == payments.draw_receipt(words)
    shown = PdfReader(io.BytesIO(paper)).pages[0].extract_text()
    for said in (receipt.code, receipt.number, receipt.check_code, "捌拾元整", "￥80.00", "不动产登记费"):
        assert str(said) in shown
    assert words.verify_url == receipt.verify_url
    assert "已作废" not in shown


def test_the_paper_of_a_void_receipt_says_so(mine: Receipts) -> None:
    mine.issued()
    mine.give_back()
    mine.chore()
    words = run_unit(lambda u: payments.receipt_words(u, mine.payment.id))
    assert "已作废" in PdfReader(io.BytesIO(payments.draw_receipt(words))).pages[0].extract_text()


def test_long_words_stay_on_the_paper(mine: Receipts) -> None:
    mine.issued()
    words = run_unit(lambda u: payments.receipt_words(u, mine.payment.id))
    long = replace(words, item="很长的项目名称" * 40, unit="很长的单位" * 30, payer="很长的名字" * 30)
    shown = PdfReader(io.BytesIO(payments.draw_receipt(long))).pages[0].extract_text()
    assert shown.count("…") == 3


def test_a_receipt_without_number_has_no_paper(mine: Receipts) -> None:
    with pytest.raises(payments.ReceiptNotReady):
        run_unit(lambda u: payments.receipt_words(u, mine.payment.id))
    with pytest.raises(NotFound):
        run_unit(lambda u: payments.receipt_by_proof(u, "unknown"))


def test_anybody_verifies_a_receipt_by_its_proof(mine: Receipts) -> None:
    receipt = mine.issued()
    answer = ask(mine.town, "GET", f"/receipts/v1/{mine.proof(receipt)}")
    assert set(answer.json()) == {
        "valid", "says", "code", "number", "unit", "item", "amount_fen", "amount_in_words", "issued_on",
    }  # fmt: skip
    assert (answer.json()["valid"], answer.json()["number"]) == (True, receipt.number)
    page = ask(mine.town, "GET", f"/receipts/{mine.proof(receipt)}")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "当前有效" in page.text
    assert "80.00" in page.text
    mine.give_back()
    mine.chore()
    assert "已作废" in ask(mine.town, "GET", f"/receipts/{mine.proof(receipt)}").text


@pytest.mark.parametrize("proof", ["unknown", "x" * 3000, "%27--", "rc-01"])
def test_an_unknown_proof_verifies_nothing(mine: Receipts, proof: str) -> None:
    page = ask(mine.town, "GET", f"/receipts/{proof}")
    assert (page.status_code, "没有查到" in page.text) == (404, True)
    assert slug(ask(mine.town, "GET", f"/receipts/v1/{proof}")) == "not-found"


def test_a_receipt_on_its_way_verifies_nothing(mine: Receipts) -> None:
    asked = text("SELECT proof FROM payments_receipt WHERE id = :receipt")
    values = {"receipt": mine.seen.id}
    proof = run_unit(lambda u: u.session.scalar(asked, values))
    assert len(proof) >= 43
    assert ask(mine.town, "GET", f"/receipts/v1/{proof}").status_code == 404


def test_verifying_is_counted_by_address(mine: Receipts, monkeypatch: pytest.MonkeyPatch) -> None:
    known = read_settings.settings()
    few = replace(known, limits=replace(known.limits, lookups=1))
    monkeypatch.setattr("backend.people.services.limits.settings", lambda: few)
    told = {slug(ask(mine.town, "GET", "/receipts/v1/unknown")) for _ in range(3)}
    assert "too-many-requests" in told


def test_a_citizen_lists_and_downloads_receipts(town: Any, street: Any) -> None:
    citizen, stranger = by_wechat(town), by_wechat(town)
    street.desk.person_id = citizen.id
    mine = Receipts(street)
    path = f"/payments/{mine.payment.id}/receipt"
    assert slug(citizen.ask("GET", f"{path}/file")) == "receipt-not-ready"
    receipt = mine.issued()
    listed = citizen.ask("GET", "/receipts?limit=1").json()
    assert [one["number"] for one in listed["items"]] == [receipt.number]
    paper = citizen.ask("GET", f"{path}/file")
    assert (paper.headers["Content-Type"], paper.content[:5]) == ("application/pdf", b"%PDF-")
    assert f"{receipt.code}-{receipt.number}.pdf" in paper.headers["Content-Disposition"]
    assert slug(stranger.ask("GET", f"{path}/file")) == "not-found"


def listed(town: Any, one: Any, limit: int = 100) -> list[str]:
    """The ids on every page of the desk's list of troubled receipts."""
    found: list[str] = []
    path = f"/dept/v1/receipts?limit={limit}"
    page = ask(town, "GET", path, token=one.token).json()
    while page["next"]:
        found += [row["id"] for row in page["items"]]
        page = ask(town, "GET", f"{path}&cursor={page['next']}", token=one.token).json()
    return found + [row["id"] for row in page["items"]]


def belongs(mine: Receipts, payee: str, region: str | None) -> str:
    """The receipt, which nobody can issue, is another department's from now on."""
    told = text(
        "UPDATE payments_receipt SET payee = :payee, region_code = :region, state = 'failed' WHERE id = :id"
    )
    values = {"payee": payee, "region": region, "id": mine.seen.id}
    run_unit(lambda u: u.session.execute(told, values))
    return mine.seen.id


def another(mine: Receipts) -> Receipts:
    """The receipt of another payment."""
    words = {"subject": payments.subject_of_case(ids.new_id("cs")), "matter": ids.new_id("cs")}
    return Receipts(replace(mine.street, desk=replace(mine.street.desk, **words)))


def test_troubles_of_others_hide_none_of_mine(mine: Receipts) -> None:
    ours, theirs = ids.new_id("dp"), ids.new_id("dp")
    for _ in range(2):
        belongs(another(mine), theirs, None)
    newest = another(mine)
    receipt_id = belongs(newest, ours, "341602001")

    def seen_by(*scopes: people.Scope) -> list[str]:
        return [one.id for one in run_unit(lambda u: payments.troubled_receipts(u, scopes, limit=1))]

    assert seen_by(people.Scope("finance", ours, "341602")) == [receipt_id]
    assert seen_by(people.Scope("finance", ours, "341621")) == []
    assert seen_by() == []
    assert len(seen_by(people.Scope("finance", theirs, "341621"))) == 1


def test_the_list_of_troubles_is_paged(town: Any, mine: Receipts) -> None:
    department = ids.new_id("dp")
    made = [belongs(one, department, None) for one in (mine, another(mine), another(mine))]
    finance = officer(town, "finance", department_id=department)
    assert listed(town, finance, limit=1) == listed(town, finance, limit=2) == made
    odd = ask(town, "GET", "/dept/v1/receipts?cursor=odd", token=finance.token)
    assert slug(odd) == "malformed-request"


def test_finance_sees_and_mends_troubled_receipts(town: Any, mine: Receipts) -> None:
    mine.fault("issue", "refuse")
    mine.chore()
    finance, foreign = officer(town, "finance"), officer(town, "finance", department_id="BZ-OTHER")
    clerk, here = officer(town, "window_clerk"), f"/dept/v1/receipts/{mine.seen.id}"

    assert mine.seen.id in listed(town, finance)
    assert mine.seen.id not in listed(town, foreign)
    assert slug(ask(town, "GET", "/dept/v1/receipts", token=clerk.token)) == "outside-your-scope"
    assert slug(ask(town, "POST", f"{here}/questions", token=foreign.token)) == "not-found"
    assert ask(town, "GET", f"{here}/standing", token=finance.token).json()["result"] == "absent"
    assert ask(town, "POST", f"{here}/questions", token=finance.token).json()["state"] == "wanted"
    mine.issued()
    standing = ask(town, "GET", f"{here}/standing", token=finance.token).json()
    assert (standing["result"], standing["amount_fen"]) == ("valid", 8000)
    assert slug(ask(town, "POST", f"{here}/questions", token=finance.token)) == "impossible-move"
