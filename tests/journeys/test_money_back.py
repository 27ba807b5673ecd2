"""A citizen pays and withdraws, in either order: the money goes back by itself and both books agree."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import payments
from backend import cases
from backend.cli.care import all_findings
from backend.kernel import clock
from backend.runtime import relay
from backend.store.unit import run_unit
from payments import tasks
from tests.cases import makers
from tests.people.makers import Citizen, by_wechat

ROOT = Path(__file__).parents[2]
HOME, FEE = "SI025", 9000
BOSS = makers.officer()
BACK = "费用将原路退回"


@dataclass
class Payer:
    """A citizen whose accepted case waits for its fee, in a town whose workers work when they are told to."""

    town: Any
    citizen: Citizen
    case_id: str

    def begin(self) -> dict[str, Any]:
        answer = self.citizen.ask("POST", f"/cases/{self.case_id}/payments", {"channel": "wechat_pay"})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def approve(self, order: dict[str, Any]) -> None:
        openid = self.town.control("/wechat/login", {"phone": self.citizen.phone})["openid"]
        self.town.control(
            "/wxpay/pay", {"decision": "approve", "openid": openid, "params": order["parameters"]}
        )

    def withdraw(self) -> None:
        answer = self.citizen.ask("POST", f"/cases/{self.case_id}/withdrawal", {})
        assert answer.status_code == 200, answer.text

    def case(self) -> dict[str, Any]:
        return dict(self.citizen.ask("GET", f"/cases/{self.case_id}").json())

    def steps(self) -> list[str]:
        return [step["says"] for step in self.case()["steps"]]

    def payment(self, order: dict[str, Any]) -> dict[str, Any]:
        return dict(self.citizen.ask("GET", f"/payments/{order['payment_id']}").json())

    def until(self, true: Callable[[], bool]) -> None:
        """Let the workers work until it has come about."""
        end = clock.monotonic() + 12
        while not true():
            assert clock.monotonic() < end, self.case()
            relay.relay_all()
            tasks.sweep()
            tasks.sweep_refunds()
            clock.sleep(0.05)

    def until_paid(self, order: dict[str, Any]) -> None:
        """Only the channel's own news: nobody else works meanwhile."""
        end = clock.monotonic() + 12
        while self.payment(order)["payment"]["state"] != "paid":
            assert clock.monotonic() < end
            clock.sleep(0.05)

    def given_back_by_channel(self, order: dict[str, Any]) -> list[int]:
        """Fen the channel's own books say it returned for this order."""
        number = order["payment_id"].replace("-", "")
        return [one["amount"] for one in self.town.books("wxpay")["refund"] if number in str(one)]


@pytest.fixture
def payer(town: Any, accounts: Any) -> Iterator[Payer]:
    before = set(run_unit(all_findings))
    citizen = by_wechat(town).papers()
    assert citizen.register().status_code == 200
    case_id = run_unit(_file(citizen.id))
    run_unit(lambda u: cases.pass_pre_review(u, case_id, BOSS))
    run_unit(lambda u: cases.accept(u, case_id, BOSS))
    yield Payer(town, citizen, case_id)
    town.control("/faults", method="DELETE")
    assert set(run_unit(all_findings)) <= before
    assert sum(run_unit(payments.balances).values()) == 0


def _file(person_id: str) -> Callable[[Any], str]:
    def work(u: Any) -> str:
        filed = makers.application(u, person_id, HOME)
        return cases.submit_case(u, filed, makers.citizen(person_id)).case_id

    return work


def _all_is_back(payer: Payer, order: dict[str, Any]) -> None:
    payer.until(lambda: payer.case()["fee_state"] == "refunded")
    seen = payer.payment(order)
    assert (seen["payment"]["state"], seen["payment"]["refunded_fen"]) == ("refunded", FEE)
    assert [refund["amount_fen"] for refund in seen["refunds"]] == payer.given_back_by_channel(order) == [FEE]


def test_a_fee_paid_before_the_withdrawal_comes_back(payer: Payer) -> None:
    order = payer.begin()
    assert payer.steps()[-2:] == ["请缴费", "等待支付，请尽快完成"]
    payer.approve(order)
    payer.until(lambda: payer.case()["fee_state"] == "paid")
    assert payer.steps()[-2:] == ["请缴费", "支付成功"]
    payer.withdraw()
    assert payer.steps()[-2:] == ["撤回了申请", BACK]
    _all_is_back(payer, order)
    assert payer.steps()[-4:] == ["支付成功", "撤回了申请", BACK, "款项已全部退回"]


def test_a_fee_paid_while_withdrawing_comes_back(payer: Payer) -> None:
    payer.town.control("/faults", {"provider": "wxpay", "verb": "transaction", "kind": "drop", "times": 20})
    order = payer.begin()
    payer.approve(order)
    payer.withdraw()
    assert payer.case()["fee_state"] == "void"
    _all_is_back(payer, order)
    assert payer.steps()[-4:] == ["撤回了申请", "支付成功", BACK, "款项已全部退回"]


def test_a_killed_relay_leaves_no_case_waiting_for_its_money(payer: Payer) -> None:
    order = payer.begin()
    relay.relay_all()
    payer.approve(order)
    payer.until_paid(order)
    for _ in range(2):
        dying = [
            sys.executable,
            str(ROOT / "tests/payments/dying.py"),
            "before the news is heard",
            *["-"] * 5,
        ]
        done = subprocess.run(
            dying, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60, check=False
        )
        assert done.returncode == -signal.SIGKILL
    assert payer.case()["fee_state"] == "due"
    payer.until(lambda: payer.case()["fee_state"] == "paid")
    assert payer.steps().count("费用已缴清") <= 1


def test_an_unpaid_fee_falls_away_with_the_case(payer: Payer) -> None:
    order = payer.begin()
    payer.withdraw()
    payer.until(lambda: payer.payment(order)["payment"]["state"] == "closed")
    assert (payer.case()["fee_state"], payer.steps()[-1]) == ("void", "撤回了申请")
