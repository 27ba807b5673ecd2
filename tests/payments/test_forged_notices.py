"""Ten thousand twisted notices at our doors: none has an effect, and the honest ones have theirs exactly once.

FUZZ_SEED chooses the story; it is printed, and the same seed tells the same story again.
"""

import logging
import os
import random
import secrets
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

import payments
import wsgi
from backend.kernel import clock, ids
from backend.store.unit import run_unit
from payments.channels import NAMES
from tests.payments.forgeries import Back, Letter, Money, Workshop
from tests.payments.forgery_kinds import ALL_KINDS, HUGE_FORGERIES, forged, useless
from tests.payments.makers import CLERK, Desk, events_of, hear, succeeded

COUNT = 10_000
USELESS = 600
"""So many of them are authentic, of money that is not ours: they are kept with a verdict."""
TABLES = ("payments_payment", "payments_refund", "payments_ledger_entry", "payments_receipt")


@pytest.fixture(scope="module")
def seed() -> int:
    chosen = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(10**9))
    print(f"FUZZ_SEED={chosen}")  # noqa: T201 - whoever wants the same story needs it
    return chosen


@pytest.fixture
def workshop(town: Any, seed: int, caplog: pytest.LogCaptureFixture) -> Workshop:
    caplog.set_level(logging.ERROR, "backend.runtime.callbacks")  # each forgery is told to the log
    return Workshop(town.state_dir / "sim", random.Random(seed))


CLIENT = wsgi.app.test_client()


def post(letter: Letter) -> int:
    return int(CLIENT.post(letter.path, data=letter.body, headers=letter.headers).status_code)


def awaiting(count: int, amount_fen: int = 8000) -> list[payments.PaymentView]:
    """Payments that wait for their money, by turns over both channels."""
    made = []
    for number in range(count):
        case_id = ids.new_id("cs")
        desk = Desk(ids.new_id("ps"), payments.subject_of_case(case_id), case_id)
        made.append(desk.awaiting(NAMES[number % len(NAMES)], amount_fen))
    return made


def returning(count: int) -> list[Back]:
    """Refunds of 30 of 80 yuan that wait for news, by turns over both channels."""
    made = []
    for payment in awaiting(count):
        hear(succeeded(payment))
        refund = run_unit(lambda u, p=payment: payments.request_refund(u, p.id, 3000, "多收费用", CLERK))
        made.append(Back(payment, refund.id.replace("-", ""), 3000))
    return made


def books(waiting: list[payments.PaymentView]) -> dict[str, list[str]]:
    """Every row of these payments, letter by letter."""
    values = {"mine": [payment.matter for payment in waiting]}

    def read(table: str) -> list[str]:
        where = "payment_id IN (SELECT id FROM payments_payment WHERE matter = ANY(:mine))"
        if table in ("payments_payment", "payments_refund", "payments_ledger_entry"):
            where = "matter = ANY(:mine)"
        asked = text(f"SELECT t::text FROM {table} t WHERE {where} ORDER BY 1")
        return run_unit(lambda u: list(u.session.scalars(asked, values)))

    return {table: read(table) for table in TABLES}


def kept() -> int:
    return run_unit(lambda u: int(u.session.scalar(text("SELECT count(*) FROM store_notice")) or 0))


def state_of(payment: payments.PaymentView) -> str:
    return run_unit(lambda u: payments.payment_of(u, payment.id)).state


def test_ten_thousand_forgeries_have_no_effect(workshop: Workshop, seed: int) -> None:
    waiting, back, believed, told = awaiting(20), returning(10), [], Counter[str]()
    money: list[Money] = [*waiting, *back]
    every = [*waiting, *(one.payment for one in back)]
    before, began = books(every), clock.monotonic()
    for number in range(COUNT):
        one, authentic = workshop.rng.choice(money), number % (COUNT // USELESS) == 0
        kind, letter = (useless if authentic else forged)(workshop, one)
        told[kind] += 1
        if (post(letter) < 300) != authentic:
            believed.append((number, kind, letter.headers, letter.body[:300]))
    assert believed == [], f"FUZZ_SEED={seed}"
    assert books(every) == before, f"FUZZ_SEED={seed}"
    assert len(told) == ALL_KINDS
    took = f"{COUNT} notices of {len(told)} kinds in {clock.monotonic() - began:.0f} s"
    print(f"{took}, FUZZ_SEED={seed}")  # noqa: T201 - for the reader of `pytest -s`
    for payment in waiting:
        assert post(workshop.genuine(payment)) < 300
        assert state_of(payment) == "paid"
    for one in back:
        assert post(workshop.genuine(one)) < 300
        assert state_of(one.payment) == "partly_refunded"


def test_a_refused_notice_leaves_no_trace(workshop: Workshop) -> None:
    waiting = awaiting(2)
    before = kept(), books(waiting)
    for payment in waiting * 20:
        assert 400 <= post(forged(workshop, payment)[1]) < 500
    assert (kept(), books(waiting)) == before


@pytest.mark.parametrize(("name", "forge"), HUGE_FORGERIES)
def test_a_body_without_end_is_refused(workshop: Workshop, name: str, forge: Any) -> None:
    payment = next(one for one in awaiting(2) if one.channel == name)
    assert 400 <= post(forge(workshop, payment)) < 500
    assert state_of(payment) == "awaiting"


@pytest.mark.parametrize("name", NAMES)
def test_a_replayed_notice_has_one_effect(workshop: Workshop, name: str) -> None:
    payment = next(one for one in awaiting(2) if one.channel == name)
    letter = workshop.genuine(payment)
    assert {post(letter) < 300 for _ in range(30)} == {True}
    once = books([payment])
    again = workshop.genuine(payment)  # the same money in another envelope
    assert {post(one) < 300 for one in (letter, again) * 10} == {True}
    assert books([payment]) == once
    assert len(once["payments_ledger_entry"]) == 2
    assert len(events_of(payment.matter, "PaymentSucceeded")) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_strangers_envelope_does_not_hide_the_genuine(workshop: Workshop, name: str) -> None:
    payment = next(one for one in awaiting(2) if one.channel == name)
    envelope = {"notify_id": secrets.token_hex(17)} if name == "alipay" else {"id": f"EV-{ids.token()[:20]}"}
    strange: dict[str, Any] = {"app_id": "2021000000000009"}
    if name == "wechat_pay":
        strange = {"news": {"appid": "wx00000000000000ff"}}
    post(workshop.genuine(payment, **strange, **envelope))
    assert state_of(payment) == "awaiting"
    post(workshop.genuine(payment, **envelope))
    assert state_of(payment) == "paid"


def test_fields_in_another_order_are_the_same_news(workshop: Workshop) -> None:
    payment = next(one for one in awaiting(2) if one.channel == "alipay")
    letter = workshop.genuine(payment)
    parts = letter.body.split(b"&")
    workshop.rng.shuffle(parts)
    assert (post(replace(letter, body=b"&".join(parts))), state_of(payment)) == (200, "paid")
    once = books([payment])
    assert (post(letter), books([payment])) == (200, once)


@pytest.mark.parametrize("name", NAMES)
def test_another_sum_is_held_and_told(workshop: Workshop, name: str) -> None:
    payment = next(one for one in awaiting(2) if one.channel == name)
    other: dict[str, Any] = {"total_amount": "79.99"}
    if name == "wechat_pay":
        other = {"news": {"amount": {"total": 7999, "currency": "CNY"}}}
    letter = workshop.genuine(payment, **other)
    assert {post(letter) < 300 for _ in range(5)} == {True}
    assert state_of(payment) == "disputed"
    assert len(events_of(payment.matter, "MoneyUnexplained")) == 1
    assert events_of(payment.matter, "PaymentSucceeded") == []
    assert run_unit(lambda u: payments.paid_for(u, payment.subject)) is None
    held = books([payment])["payments_ledger_entry"]
    assert [entry for entry in held if "7999" not in entry] == []


def test_the_same_seed_tells_the_same_story(town: Any, seed: int) -> None:
    (payment,) = awaiting(1)
    stories = []
    for _ in range(2):
        workshop = Workshop(town.state_dir / "sim", random.Random(seed))
        stories.append([forged(workshop, payment)[0] for _ in range(200)])
    assert stories[0] == stories[1]
