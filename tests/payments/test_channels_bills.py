"""A day's statement as the channels bring it: the provider's bytes, or a clear word why there are none."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend.kernel import clock
from backend.runtime import outbound
from payments.channels import NAMES, bill_files, channel, port
from tests.contracts.test_payment_channels import PROVIDERS, Shop, made

WORDS = {"wechat_pay": "交易时间", "alipay": "支付宝业务明细查询"}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def day(town: Any, name: str) -> Iterator[date]:
    """A day on which one payment was made and half of it went back; it is the next noon."""
    shop = Shop(town, channel(name))
    shop.paid()
    shop.line.refund(shop.refund_order(4000))
    paid_on = clock.today()
    clock.sleep(0.3)  # WeChat Pay takes its moment for a refund
    clock.move_to(clock.at_local(paid_on + timedelta(days=1), 12))
    yield paid_on
    for desk in ("/bills", "/faults"):
        town.control(desk, method="DELETE")


@pytest.fixture
def spoil(town: Any, name: str) -> Callable[..., None]:
    def order(kind: str, **more: Any) -> None:
        town.control("/bills", {"provider": PROVIDERS[name], "kind": kind} | more)

    return order


def fetched(name: str, day: date) -> str:
    bill = channel(name).fetch_bill(day)
    assert isinstance(bill, port.BillFile), bill
    with bill.file:
        content = bill.file.read()
    assert bill.digest == hashlib.sha256(content).hexdigest()
    return content.decode(bill.encoding)


def test_yesterdays_statement_is_brought_unpacked(name: str, day: date) -> None:
    text = fetched(name, day)
    assert WORDS[name] in text.splitlines()[0]
    assert ("80.50" in text, "40.00" in text, "\ufeff" in text) == (True, True, False)


def test_a_day_without_money_has_no_statement(name: str, day: date) -> None:
    assert channel(name).fetch_bill(date(2020, 1, 1)) == port.NoBill()


def test_today_and_this_morning_are_not_ready(name: str, day: date) -> None:
    assert channel(name).fetch_bill(clock.today()) == port.NotYet()
    clock.move_to(clock.at_local(day + timedelta(days=1), 9, 59))
    before = channel(name).fetch_bill(day)
    clock.move_to(clock.at_local(day + timedelta(days=1), 10, 1))
    assert (before, len(fetched(name, day)) > 0) == (port.NotYet(), True)


@pytest.mark.parametrize("kind", ["truncated", "html"])
def test_a_broken_file_is_told_and_fetched_again(
    name: str, day: date, spoil: Callable[..., None], kind: str
) -> None:
    spoil(kind)
    assert isinstance(channel(name).fetch_bill(day), port.Corrupt)
    assert fetched(name, day)


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_a_file_with_another_hash_is_not_believed(name: str, day: date, spoil: Callable[..., None]) -> None:
    spoil("wrong_hash")
    assert channel(name).fetch_bill(day) == port.Corrupt(
        "not a sound archive: its hash is not the declared one"
    )


def test_a_bomb_is_not_unpacked(name: str, day: date, spoil: Callable[..., None]) -> None:
    spoil("blank_lines", count=50_000)
    bill = made(name, bill_most=50_000).fetch_bill(day)
    assert isinstance(bill, port.Corrupt)
    assert "more than 50000 bytes" in bill.why


def test_a_large_statement_takes_little_memory(
    name: str, day: date, spoil: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil("blank_lines", count=2_000_000)
    monkeypatch.setattr(bill_files, "IN_MEMORY", 1000)
    bill = channel(name).fetch_bill(day)
    assert isinstance(bill, port.BillFile)
    with bill.file:
        assert getattr(bill.file, "_rolled", False)
        assert sum(len(piece) for piece in iter(lambda: bill.file.read(65536), b"")) > 4_000_000


@pytest.mark.parametrize("kind", ["5xx", "timeout", "refuse"])
def test_a_provider_in_trouble_brings_no_statement(town: Any, name: str, day: date, kind: str) -> None:
    verb = {"wechat_pay": "tradebill", "alipay": "bill"}[name]
    town.control("/faults", {"provider": PROVIDERS[name], "verb": verb, "kind": kind, "seconds": 0.1})
    assert isinstance(channel(name).fetch_bill(day), port.Unknown)


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_a_file_that_is_not_given_is_unknown(town: Any, name: str, day: date) -> None:
    for kind in ("5xx", "refuse"):
        town.control("/faults", {"provider": "wxpay", "verb": "download", "kind": kind})
        assert isinstance(channel(name).fetch_bill(day), port.Unknown)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1.evil.example/wxpay/v3/file",
        "https://openapi.alipay.com.evil.example/file",
        "file:///etc/passwd",
        "http://user@127.0.0.1:1/file",
        "",
    ],
)
def test_an_address_of_somebody_else_is_not_called(name: str, town: Any, address: str) -> None:
    line: Any = made(name)
    client = vars(line).get("_client") or vars(line)["_line"]
    with bill_files.scratch() as file, pytest.raises(outbound.Garbled):
        client.download(address, file, 1000)


def test_a_file_larger_than_the_wire_allows_is_refused(
    name: str, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bill_files, "PACKED_MOST", 100)
    assert isinstance(channel(name).fetch_bill(day), port.Corrupt)
