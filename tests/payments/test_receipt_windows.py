"""The paper a payer takes home, the page that verifies it, and the finance office's desk."""

import io
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import text

import payments
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


def test_finance_sees_and_mends_troubled_receipts(town: Any, mine: Receipts) -> None:
    mine.fault("issue", "refuse")
    mine.chore()
    finance, foreign = officer(town, "finance"), officer(town, "finance", department_id="BZ-OTHER")
    clerk, here = officer(town, "window_clerk"), f"/dept/v1/receipts/{mine.seen.id}"

    def listed(one: Any) -> set[str]:
        return {row["id"] for row in ask(town, "GET", "/dept/v1/receipts", token=one.token).json()}

    assert (mine.seen.id in listed(finance), mine.seen.id in listed(foreign)) == (True, False)
    assert slug(ask(town, "GET", "/dept/v1/receipts", token=clerk.token)) == "outside-your-scope"
    assert slug(ask(town, "POST", f"{here}/questions", token=foreign.token)) == "not-found"
    assert ask(town, "GET", f"{here}/standing", token=finance.token).json()["result"] == "absent"
    assert ask(town, "POST", f"{here}/questions", token=finance.token).json()["state"] == "wanted"
    mine.issued()
    standing = ask(town, "GET", f"{here}/standing", token=finance.token).json()
    assert (standing["result"], standing["amount_fen"]) == ("valid", 8000)
    assert slug(ask(town, "POST", f"{here}/questions", token=finance.token)) == "impossible-move"
