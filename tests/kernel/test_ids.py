import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel import clock, ids
from backend.kernel.identifiers import mod_37_36

PREFIXES = re.findall(r"\b([a-z]{2,3}) [a-z]+", (ids.__doc__ or "").partition("Prefixes: ")[2])
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
few = settings(max_examples=40, deadline=None)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_id_tells_its_kind(prefix: str) -> None:
    name = ids.new_id(prefix)
    assert re.fullmatch(prefix + r"-[0-9a-hjkmnp-tv-z]{26}", name)
    assert ids.prefix_of(name) == prefix


def test_ids_sort_by_age_and_never_repeat() -> None:
    first = ids.new_id("cs")
    clock.sleep(0.002)
    later = {ids.new_id("cs") for _ in range(500)}
    assert len(later) == 500
    assert all(first < name for name in later)


@pytest.mark.parametrize("prefix", ["", "c", "CS", "cases", "c-", "票"])
def test_an_odd_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ids.MalformedId):
        ids.new_id(prefix)


@pytest.mark.parametrize(
    "text", ["", "cs", "cs-", "cs-123", "cs-" + "8" * 26, "cs-" + "u" * 26, "cs-" + "0" * 26 + "\n"]
)
def test_what_is_no_id_has_no_prefix(text: str) -> None:
    with pytest.raises(ids.MalformedId):
        ids.prefix_of(text)


def test_a_case_number_avoids_letters_people_confuse() -> None:
    for _ in range(300):
        number = ids.case_number()
        assert re.fullmatch(f"BZ[{ALPHABET}]{{12}}", number)
        assert ids.is_case_number(number)


def test_a_case_number_is_read_as_people_type_it() -> None:
    number = "BZ0123456789A"
    number += mod_37_36(number)
    typed = [
        number.lower(),
        f" {number[:2]}-{number[2:6]} {number[6:10]}—{number[10:]}\n",
        number.replace("0", "O").replace("1", "I"),
        number.replace("0", "o").replace("1", "l"),
        number.translate({ord(c): ord(c) + 0xFEE0 for c in string.digits + string.ascii_uppercase}),
    ]
    assert {ids.tidy_case_number(text) for text in typed} == {number}
    assert all(ids.is_case_number(text) for text in typed)


@few
@given(place=st.integers(0, 13), wrong=st.sampled_from(string.digits + string.ascii_uppercase))
def test_any_single_wrong_character_is_noticed(place: int, wrong: str) -> None:
    number = ids.case_number()
    typed = number[:place] + wrong + number[place + 1 :]
    assert ids.is_case_number(typed) == (ids.tidy_case_number(typed) == number)


@few
@given(st.text(max_size=20))
def test_arbitrary_text_is_judged_without_trouble(text: str) -> None:
    assert ids.is_case_number(text) in (True, False)


@pytest.mark.parametrize("text", ["", "BZ", "BZ0123456789A", "AZ0123456789AB", "BZ" + "U" * 12])
def test_what_is_no_case_number_is_refused(text: str) -> None:
    assert not ids.is_case_number(text)


def test_codes_are_digits_and_tokens_are_long() -> None:
    assert re.fullmatch(r"[0-9]{6}", ids.digits(6))
    assert {len(ids.token()) for _ in range(20)} == {43}
    assert len({ids.token() for _ in range(20)}) == 20
