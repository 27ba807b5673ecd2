from typing import Any

import pytest

from backend import catalogue
from backend.kernel.problems import InvalidInput
from tests.catalogue.makers import shaped, whole_record


def _lines(answers: dict[str, Any], of: str = "SI025") -> tuple[catalogue.FeeLine, ...]:
    return catalogue.fees_for(shaped(whole_record(of=of)), answers)


@pytest.mark.parametrize(
    ("kind", "count", "amounts", "total"),
    [
        ("residential", 1, [8000], 8000),
        ("residential", 3, [8000, 2000], 10_000),
        ("non_residential", 1, [55_000], 55_000),
        ("non_residential", 2, [55_000, 1000], 56_000),
    ],
)
def test_a_first_registration_costs_what_the_guide_says(
    kind: str, count: int, amounts: list[int], total: int
) -> None:
    lines = _lines({"house_kind": kind, "certificate_count": count})
    assert [line.amount_fen for line in lines] == amounts
    assert catalogue.fee_total_fen(lines) == total


def test_a_line_tells_its_ground_without_remarks() -> None:
    line, more = _lines({"house_kind": "residential", "certificate_count": 4})
    assert line.basis == "发改价格规〔2016〕2559号"
    assert (more.quantity, more.unit, more.amount_fen) == (3, "本", 3000)


def test_a_vehicle_licence_costs_ten_yuan() -> None:
    assert catalogue.fee_total_fen(_lines({}, of="SI024")) == 1000


def test_an_amount_set_per_bill_is_never_computed() -> None:
    lines = _lines({}, of="SI018")
    assert [line.amount_fen for line in lines] == [None]
    assert catalogue.fee_total_fen(lines) is None


def test_an_item_without_fees_costs_nothing() -> None:
    assert _lines({}, of="SI007") == ()
    assert catalogue.fee_total_fen(()) == 0


def test_a_free_price_makes_no_line() -> None:
    record = whole_record(of="SI024")
    record["fees"][0].update(amount_yuan=0, amount_fen=0)
    assert catalogue.fees_for(shaped(record), {}) == ()


def test_a_price_without_its_answer_asks_for_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        _lines({"certificate_count": 1})
    assert [error["field"] for error in caught.value.errors] == ["house_kind"]
