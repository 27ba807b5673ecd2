import pytest

from tests.simulators.conftest import Outside
from tests.simulators.signers import identity


@pytest.mark.parametrize(
    ("name", "id_no", "result"),
    [
        ("测试甲", "341699198803140016", "match"),
        ("测试乙", "341699198803140016", "mismatch"),
        ("测试甲", "11010519491231002X", "not_found"),
        ("测试甲", "11010519491231002x", "not_found"),
    ],
)
def test_the_authority_knows_who_is_who(outside: Outside, name: str, id_no: str, result: str) -> None:
    assert identity(outside.env, {"name": name, "id_no": id_no}).json() == {"result": result}


def test_a_wrong_check_digit_is_no_question(outside: Outside) -> None:
    answer = identity(outside.env, {"name": "测试甲", "id_no": "341699198803140017"})
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")


def test_a_stranger_learns_nothing(outside: Outside) -> None:
    answer = identity(outside.env, {"name": "测试甲", "id_no": "341699198803140016"}, secret="guessed")
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")


@pytest.mark.parametrize("age", [301, -301])
def test_an_old_or_early_question_is_refused(outside: Outside, age: int) -> None:
    answer = identity(outside.env, {"name": "测试甲", "id_no": "341699198803140016"}, age=age)
    assert answer.json()["code"] == "TIME_EXPIRED"


def test_a_repeated_nonce_is_a_replay(outside: Outside) -> None:
    asked = [
        identity(outside.env, {"name": "测试甲", "id_no": "341699198803140016"}, nonce="once") for _ in "12"
    ]
    assert [answer.status_code for answer in asked] == [200, 401]


def test_new_people_are_known_at_once(outside: Outside) -> None:
    person = outside.ask("/control/people", {"name": "测试·新"}, 201)
    asked = {"name": person["name"], "id_no": person["id_no"]}
    assert identity(outside.env, asked).json() == {"result": "match"}


def test_people_with_false_numbers_may_not_settle(outside: Outside) -> None:
    outside.ask("/control/people", {"name": "测试", "id_no": "341699198803140017"}, 400)
