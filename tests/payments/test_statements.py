"""Statements line by line: what they say is believed when all of it fits, and nothing of it otherwise."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from payments.channels import statements
from payments.channels.statements import Spoilt, lines_of
from payments.reconciliation import fetching, wording
from tests.payments.statement_makers import (
    ENCODINGS,
    WRITERS,
    Told,
    alipay_text,
    file_of,
    found,
    fresh_day,
    look,
    wechat_text,
    wish,
)

CHANNELS = ("wechat_pay", "alipay")
TOLD = (
    Told("pay1", 8000, fee=48), Told("pay2", 1), Told("pay2", 1, back="rf1"), Told("pay1", 3000, back="rf2", fee=18),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _keys(town):
    """The merchant's names are known once the town is open."""


def read(channel, text, day):
    return list(lines_of(channel, file_of(text, channel), day))


def why(channel, text, day) -> str:
    with pytest.raises(Spoilt) as caught:
        read(channel, text, day)
    return caught.value.why


@pytest.mark.parametrize("channel", CHANNELS)
def test_both_providers_lines_read_the_same(channel):
    day = fresh_day()
    lines = read(channel, WRITERS[channel](day, TOLD), day)
    assert [(one.kind, one.number, one.payment_number, one.amount_fen, one.fee_fen) for one in lines] == [
        ("paid", "pay1", "pay1", 8000, 48),
        ("paid", "pay2", "pay2", 1, 0),
        ("returned", "rf1", "pay2", 1, 0),
        ("returned", "rf2", "pay1", 3000, -18),
    ]
    assert lines[0].happened_at.utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_statement_of_another_day_is_refused(channel):
    day = fresh_day()
    earlier = WRITERS[channel](day - timedelta(days=1), TOLD)
    assert why(channel, earlier, day) == "other_day"


def test_a_line_of_another_day_is_refused():
    day = fresh_day()
    text = alipay_text(day, TOLD).replace(
        f"{day} 12:00:00\t,\t", f"{day - timedelta(days=1)} 12:00:00\t,\t", 1
    )
    assert why("alipay", text, day) == "other_day"


@pytest.mark.parametrize("money", ["USD", "", "cny"])
@pytest.mark.parametrize("place", [0, 2])
def test_a_line_in_another_currency_is_refused(money, place):
    """Of what came and of what went back alike: its figures are no yuan."""
    day = fresh_day()
    parts = wechat_text(day, TOLD).split("`CNY")
    text = "`CNY".join(parts[: place + 1]) + f"`{money}" + "`CNY".join(parts[place + 1 :])
    assert why("wechat_pay", text, day) == "currency"
    assert wording.TROUBLES["currency"] == "对账单里有其他币种"


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_statement_cut_anywhere_is_refused(channel):
    day = fresh_day()
    text = WRITERS[channel](day, TOLD)
    for length in range(0, len(text) - 12, 37):
        assert why(channel, text[:length], day) in {
            "cut_off",
            "columns",
            "sums",
            "amount",
            "merchant",
            "other_day",
            "time",
        }


@pytest.mark.parametrize("channel", CHANNELS)
def test_another_merchants_statement_is_refused(channel):
    day = fresh_day()
    assert why(channel, WRITERS[channel](day, TOLD, merchant="2088999999999999"), day) == "merchant"


@pytest.mark.parametrize("channel", CHANNELS)
def test_sums_that_do_not_fit_are_refused(channel):
    day = fresh_day()
    assert why(channel, WRITERS[channel](day, TOLD, income="80.02"), day) == "sums"


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_missing_line_shows_in_the_sums(channel):
    day = fresh_day()
    lines = WRITERS[channel](day, TOLD).splitlines(keepends=True)
    gone = next(place for place, line in enumerate(lines) if "pay1" in line)
    assert why(channel, "".join(lines[:gone] + lines[gone + 1 :]), day) == "sums"


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_wrong_encoding_is_refused(channel):
    day = fresh_day()
    other = {"utf-8": "gbk", "gbk": "utf-16"}[ENCODINGS[channel]]
    packed = WRITERS[channel](day, TOLD).removeprefix("\ufeff").encode(other)
    assert why(channel, packed, day) in {"encoding", "columns"}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("place", [0, 1, 5])
def test_a_million_blank_lines_are_refused_at_once(channel, place):
    day = fresh_day()
    lines = WRITERS[channel](day, TOLD).splitlines(keepends=True)
    text = "".join(lines[:place]) + "\r\n" * 1_000_000 + "".join(lines[place:])
    with pytest.raises(Spoilt, match="blank_lines") as caught:
        read(channel, text, day)
    assert caught.value.line < 100


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_line_without_an_end_is_refused(channel):
    assert why(channel, "`" * 100_000, fresh_day()) in {"columns", "line_too_long", "merchant"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("交易状态", "别的", "columns"),
        ("`80.00,`0.00,`0,", "`80.00,`0.00,`0,`x,", "columns"),
        ("`SUCCESS,`OTHERS", "`WEIRD,`OTHERS", "state"),
        ("`pay1,", "`pay 1,", "number"),
        ("12:00:00", "25:00:00", "time"),
        ("`80.00,`0.00,`\r", "`8e1,`0.00,`\r", "amount"),
        ("`80.00,`0.00,`\r", "`-80.00,`0.00,`\r", "amount"),
        ("`80.00,`0.00,`\r", "`80.005,`0.00,`\r", "amount"),
        ("`0.48000,", "`nan,", "amount"),
        ("openid", "open\0id", "encoding"),
    ],
)
def test_a_malformed_line_is_refused(old, new, said):
    day = fresh_day()
    text = wechat_text(day, TOLD)
    assert old in text
    assert why("wechat_pay", text.replace(old, new, 1), day) == said


def test_a_refund_still_under_way_is_no_line():
    day = fresh_day()
    text = wechat_text(day, TOLD).replace("`ORIGINAL,`SUCCESS", "`ORIGINAL,`PROCESSING", 1)
    assert [one.number for one in read("wechat_pay", text, day)] == ["pay1", "pay2", "rf2"]


def test_a_refused_file_leaves_its_trouble_only(database):
    day = fresh_day()
    wanted = wish("wechat_pay", day)
    assert not fetching.take_in(wanted, file_of(wechat_text(day, TOLD, income="1.00")))
    seen = look(wanted.id)
    assert (seen.state, seen.lines, seen.says) == ("wanted", 0, "待获取")
    assert seen.trouble is not None
    assert "合计与明细不符" in seen.trouble
    assert fetching.take_in(wanted, file_of(wechat_text(day, TOLD)))
    seen = look(wanted.id)
    assert (seen.state, seen.lines, seen.trouble) == ("fetched", 4, None)
    assert (seen.paid_fen, seen.returned_fen, seen.fee_fen) == (8001, 3001, 30)


def test_a_statement_is_taken_in_once(database):
    day = fresh_day()
    wanted = wish("wechat_pay", day)
    for _ in range(2):
        assert fetching.take_in(wanted, file_of(wechat_text(day, TOLD)))
    assert look(wanted.id).lines == 4
    assert not found(wanted.id)


def test_no_trouble_is_without_words():
    source = Path(statements.__file__).read_text("utf-8")
    spoken = set(re.findall(r'"(\w+)"', " ".join(re.findall(r"fail\((.*)\)", source))))
    assert len(spoken) > 9
    assert spoken <= set(wording.TROUBLES)
