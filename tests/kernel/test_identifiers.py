import string
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.kernel import clock, identifiers

ID_NOS = ["11010519491231002X", "440524188001010014"]
CREDIT_CODES = [
    "11100000000013338W",
    "11430000006122244L",
    "12441500196720244T",
    "11511301008778183N",
    "115113010833722043",
]
LICENCES = [
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
]
few = settings(max_examples=80, deadline=None)


@pytest.fixture
def november_2026() -> Iterator[None]:
    clock.move_to(datetime(2026, 11, 21, tzinfo=UTC))
    yield
    clock.reset()


def with_one_wrong(vectors: list[str], alphabet: str) -> st.SearchStrategy[tuple[str, str]]:
    """A valid number, and the same with one character changed into another of the alphabet."""

    def changed(number: str, place: int, wrong: str) -> tuple[str, str]:
        place %= len(number)
        return number, number[:place] + wrong + number[place + 1 :]

    return st.builds(changed, st.sampled_from(vectors), st.integers(0, 99), st.sampled_from(alphabet))


@pytest.mark.parametrize("number", ID_NOS)
def test_a_resident_number_is_accepted(number: str) -> None:
    assert identifiers.id_no_problem(number) is None
    assert identifiers.is_id_no(number.lower())


@few
@given(with_one_wrong(ID_NOS, string.digits + "X"))
def test_one_wrong_character_of_a_resident_number_is_noticed(pair: tuple[str, str]) -> None:
    right, typed = pair
    assert identifiers.is_id_no(typed) == (typed == right)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("", "18 位"),
        ("1101051949123100", "18 位"),
        ("11010519491231002Y", "18 位"),
        ("01010519491231002X", "18 位"),
        ("１１０１０５１９４９１２３１００２X", "18 位"),
        ("110105491231002", "15 位"),
        ("110105194913310025", "出生日期不存在"),
        ("110105202702290029", "出生日期不存在"),
        ("110105202611220021", "还没有到"),
        ("110105194912310021", "输错"),
    ],
)
def test_a_wrong_resident_number_is_told_why(number: str, reason: str, november_2026: None) -> None:
    assert reason in str(identifiers.id_no_problem(number))


def test_somebody_may_be_born_today(november_2026: None) -> None:
    assert "还没有到" not in str(identifiers.id_no_problem("110105202611210029"))


def test_a_resident_number_is_stored_tidy() -> None:
    typed = ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２ｘ"]
    assert {identifiers.tidy_id_no(text) for text in typed} == {ID_NOS[0]}


def test_a_resident_number_tells_the_birthday() -> None:
    assert identifiers.birth_date(ID_NOS[0]) == date(1949, 12, 31)
    with pytest.raises(ValueError, match="month"):
        identifiers.birth_date("110105194913310025")


@pytest.mark.parametrize("code", CREDIT_CODES)
def test_a_credit_code_is_accepted(code: str) -> None:
    assert identifiers.uscc_problem(code) is None
    assert identifiers.is_uscc(identifiers.tidy_uscc(f" {code.lower()} "))


@few
@given(with_one_wrong(CREDIT_CODES, string.digits + string.ascii_uppercase))
def test_one_wrong_character_of_a_credit_code_is_noticed(pair: tuple[str, str]) -> None:
    right, typed = pair
    assert identifiers.is_uscc(typed) == (typed == right)


def test_a_wrong_organisation_part_is_noticed() -> None:
    # The last character fits; the ninth organisation character does not.
    assert "有误" in str(identifiers.uscc_problem("111000000000133391"[:17] + "N"))
    assert "18 位" in str(identifiers.uscc_problem("1110000000001333"))


@pytest.mark.parametrize("licence", LICENCES)
def test_a_licence_identifier_is_accepted(licence: str) -> None:
    assert identifiers.elicence_problem(licence) is None


def test_the_sample_of_the_vendor_is_wrong() -> None:
    right = LICENCES[0][:-1]
    assert [c for c in string.digits + string.ascii_uppercase if identifiers.is_elicence(right + c)] == ["S"]
    assert "格式" in str(identifiers.elicence_problem("1.2.156.3005.3.1"))


@few
@given(with_one_wrong(LICENCES, string.digits + string.ascii_uppercase))
def test_one_wrong_character_of_a_licence_is_noticed(pair: tuple[str, str]) -> None:
    right, typed = pair
    assert identifiers.is_elicence(typed) == (typed == right)


@pytest.mark.parametrize("code", ["12441500196720244T3442199806003", "11370800MB285591843370117002011"])
def test_an_implementation_code_has_31_characters(code: str) -> None:
    assert identifiers.is_implementation_code(code)
    assert not identifiers.is_implementation_code(code[:-1])
    assert not identifiers.is_implementation_code(code[:18] + "7" + code[19:])
    assert not identifiers.is_implementation_code("9" + code[1:])


@pytest.mark.parametrize(
    "typed", ["13800138000", "138 0013 8000", "+86-138-0013-8000", "008613800138000", "８６13800138000"]
)
def test_a_mobile_number_is_stored_tidy(typed: str) -> None:
    assert identifiers.tidy_mobile(typed) == "13800138000"
    assert identifiers.is_mobile(identifiers.tidy_mobile(typed))


@pytest.mark.parametrize(
    "number",
    ["", "12800138000", "1380013800", "138001380000", "05581234567", "1064012345678", "13800138000\n"],
)
def test_what_cannot_receive_messages_is_no_mobile(number: str) -> None:
    assert not identifiers.is_mobile(number)


@pytest.mark.parametrize(
    "name",
    [
        "测试甲",
        "欧阳测试",
        "𠮷甲",
        "〇甲",
        "测试·甲乙",
        "Test Person",
        "O'Test-Person",
        "José A. Test",
        "甲" * 60,
    ],
)
def test_names_of_all_kinds_are_accepted(name: str) -> None:
    assert identifiers.person_name_problem(name) is None
    assert identifiers.tidy_person_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "2 至"),
        ("甲", "2 至"),
        ("甲" * 101, "2 至"),
        ("测试1", "汉字"),
        ("·测试", "汉字"),
        ("测试·", "汉字"),
        ("测 试", "汉字"),
        ("测试\n", "汉字"),
        ("<b>甲</b>", "汉字"),
        ("测试😀", "汉字"),
        ("测试Test", "汉字"),
    ],
)
def test_what_is_no_name_is_told_why(name: str, reason: str) -> None:
    assert reason in str(identifiers.person_name_problem(name))


@pytest.mark.parametrize("typed", ["测试·甲", " 测试•甲 ", "测 试・甲", "测试.甲", "测试 ‧ 甲"])
def test_a_name_is_stored_tidy(typed: str) -> None:
    assert identifiers.tidy_person_name(typed) == "测试·甲"


CHECKS: list[Callable[[str], object]] = [
    identifiers.id_no_problem, identifiers.uscc_problem, identifiers.elicence_problem, identifiers.is_mobile,
    identifiers.person_name_problem, identifiers.tidy_person_name, identifiers.is_implementation_code,
]  # fmt: skip


@few
@given(st.text(max_size=40))
def test_arbitrary_text_is_judged_without_trouble(text: str) -> None:
    for check in CHECKS:
        check(text)


def test_the_check_character_refuses_other_letters() -> None:
    with pytest.raises(ValueError, match="substring"):
        identifiers.mod_37_36("a")
