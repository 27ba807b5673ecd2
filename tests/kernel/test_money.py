from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel.money import MalformedAmount, fen_from_yuan, yuan

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
