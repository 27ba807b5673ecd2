from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.money import MalformedAmount, fen_from_yuan, in_words, yuan

VECTORS = [
    (0, "0.00"),
    (5, "0.05"),
    (50, "0.50"),
    (100, "1.00"),
    (1234, "12.34"),
    (100_000_000, "1000000.00"),
]


@pytest.mark.parametrize(("fen", "text"), VECTORS)
def test_fen_are_written_as_yuan(fen: int, text: str) -> None:
    assert yuan(fen) == text
    assert fen_from_yuan(text) == fen


def test_a_negative_sum_keeps_its_sign() -> None:
    assert (yuan(-5), yuan(-1234)) == ("-0.05", "-12.34")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**14 - 1))
def test_yuan_and_back_loses_nothing(fen: int) -> None:
    assert fen_from_yuan(yuan(fen)) == fen
    assert fen_from_yuan(Decimal(yuan(fen))) == fen


@pytest.mark.parametrize(
    ("amount", "fen"), [("1", 100), ("1.5", 150), (Decimal("1E+2"), 10_000), (Decimal("0.10"), 10)]
)
def test_short_spellings_are_understood(amount: str | Decimal, fen: int) -> None:
    assert fen_from_yuan(amount) == fen


@pytest.mark.parametrize(
    "amount",
    ["", "1.", ".5", "1.234", "-1", "+1", "1,000.00", "1e3", " 1", "1\n", "NaN", "１", "9" * 13,
     Decimal("1.001"), Decimal("-0.01"), Decimal("-0"), Decimal("NaN"), Decimal("Infinity"), Decimal("1E+12"),
     1.5, 1, True, None, b"1"],
)  # fmt: skip
def test_anything_else_is_no_amount(amount: object) -> None:
    with pytest.raises(MalformedAmount):
        fen_from_yuan(amount)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        # The examples of 《支付结算办法》 annex 1, then the corners.
        (140_950, "壹仟肆佰零玖元伍角整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (168_032, "壹仟陆佰捌拾元零叁角贰分"),
        (10_700_053, "壹拾万柒仟元零伍角叁分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
        (10_000, "壹佰元整"),
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (55, "伍角伍分"),
        (1_001, "壹拾元零壹分"),
        (10_010_001, "壹拾万零壹佰元零壹分"),
        (100_000_000, "壹佰万元整"),
        (1_000_000_100, "壹仟万零壹元整"),
        (1_000_000_000_100, "壹佰亿零壹元整"),
        (2_000_500_000_000, "贰佰亿零伍佰万元整"),
        (99_999_999_999_999, "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)
def test_amounts_are_written_in_capital_words(fen: int, words: str) -> None:
    assert in_words(fen) == words


@pytest.mark.parametrize("fen", [-1, 10**14])
def test_amounts_out_of_reach_have_no_words(fen: int) -> None:
    with pytest.raises(MalformedAmount):
        in_words(fen)


@given(st.integers(min_value=0, max_value=10**14 - 1))
def test_words_of_an_amount_say_the_amount(fen: int) -> None:
    assert _fen_of(in_words(fen)) == fen
    assert "零零" not in in_words(fen)


def _fen_of(words: str) -> int:
    """Reads capital words with a reader of its own: digits wait until their place is named."""
    places = {"拾": 10, "佰": 100, "仟": 1000, "万": 10**4, "亿": 10**8}
    total = group = digit = fen = 0
    for character in words:
        if character in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(character)
        elif character in "拾佰仟":
            group, digit = group + digit * places[character], 0
        elif character in "万亿":
            total, group, digit = total + (group + digit) * places[character], 0, 0
        elif character == "元":
            total, group, digit = total + group + digit, 0, 0
        elif character in "角分":
            fen, digit = fen + digit * (10 if character == "角" else 1), 0
    return total * 100 + fen
