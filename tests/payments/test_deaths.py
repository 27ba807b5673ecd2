"""kill -9 in the payment step: the journey still ends, and nobody pays or is paid twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import payments
from backend.store.unit import run_unit
from tests.payments.makers import CLERK
from tests.payments.street import until

ROOT = Path(__file__).parents[2]
CHANNEL = "wechat_pay"


def die(street, place: str) -> None:
    """Let another process begin the work and be killed at this place."""
    street.make_due()
    desk = street.desk
    words = [place, CHANNEL, street.account(CHANNEL), desk.subject, desk.matter, desk.person_id]
    command = [sys.executable, str(Path(__file__).with_name("dying.py")), *words]
    done = subprocess.run(command, cwd=ROOT, env=_environment(), timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "DATABASE_POOL": "4"}


@pytest.mark.parametrize("place", ["before the telephone", "before the ticket is kept"])
def test_a_killed_web_process_leaves_a_payment_that_can_be_paid(street, place):
    die(street, place)
    order = street.begin(CHANNEL)
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    assert len(run_unit(lambda u: payments.payments_for(u, street.desk.subject))) == 1


@pytest.mark.parametrize("place", ["before the channel is asked", "before the answer is heard"])
def test_a_killed_worker_leaves_a_payment_that_is_healed(street, place):
    street.drop_news(CHANNEL)
    order = street.begin(CHANNEL)
    street.pay(order)
    die(street, place)
    assert street.state(order.payment_id) == "awaiting"
    street.sweep()
    assert street.state(order.payment_id) == "paid"


@pytest.mark.parametrize("place", ["before the refund is sent", "before the refund is kept"])
def test_a_killed_worker_gives_money_back_once(street, place):
    order = street.begin(CHANNEL)
    street.pay(order)
    until(lambda: street.state(order.payment_id) == "paid")
    run_unit(lambda u: payments.request_refund(u, order.payment_id, None, "多收费用", CLERK))
    die(street, place)
    until(lambda: street.sweep_refunds() >= 0 and street.state(order.payment_id) == "refunded")
    number = run_unit(lambda u: payments.payment_of(u, order.payment_id)).number
    refunds = [r for r in street.town.books("wxpay")["refund"] if r["out_trade_no"] == number]
    assert [refund["amount"] for refund in refunds] == [8000]
