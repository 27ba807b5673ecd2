"""The ledger of grants: told twice, counted once; gone when the platform says so."""

from typing import Any

import requests

from backend.store.unit import Unit, run_unit
from notifications.grants import _find, give_back, mark_gone, take
from tests.notifications.makers import (
    Resident,
    ask_for_correction,
    eventually,
    fares,
    fresh_phone,
    key,
    template_of,
)

REMINDER = template_of("correction_requested")


def left(openid: str) -> int:
    def look(u: Unit) -> int:
        grant = _find(u, openid, REMINDER)
        return grant.left if grant else 0

    return run_unit(look)


def told(openid: str) -> tuple[int, int]:
    def look(u: Unit) -> tuple[int, int]:
        grant = _find(u, openid, REMINDER)
        return (grant.told_by_phone, grant.told_by_platform) if grant else (0, 0)

    return run_unit(look)


def test_phone_and_platform_tell_of_the_same_accept(person: Resident) -> None:
    answer = person.accept("correction_requested")
    assert answer.json() == [{"template_id": REMINDER, "title": "待办事项提醒", "left": 1}]
    assert eventually(lambda: told(person.openid) == (1, 1))
    assert left(person.openid) == 1


def test_the_platform_alone_is_enough(person: Resident, town: Any) -> None:
    town.control("/wechat/accept", {"openid": person.openid, "template_ids": [REMINDER]})
    assert eventually(lambda: left(person.openid) == 1)


def test_several_templates_come_as_a_list(person: Resident, town: Any) -> None:
    templates = [REMINDER, template_of("case_accepted"), template_of("fee_demanded")]
    town.control("/wechat/accept", {"openid": person.openid, "template_ids": templates})
    assert eventually(lambda: left(person.openid) == 1)


def test_closing_a_template_ends_its_grants(person: Resident, town: Any) -> None:
    person.accept("correction_requested")
    eventually(lambda: told(person.openid) == (1, 1))
    town.control("/wechat/close", {"openid": person.openid, "template_ids": [REMINDER]})
    assert eventually(lambda: left(person.openid) == 0)
    assert "wechat_subscribe" not in fares(ask_for_correction(person))


def test_a_new_accept_counts_after_the_end_of_the_old(person: Resident) -> None:
    person.accept("correction_requested")
    eventually(lambda: told(person.openid) == (1, 1))
    run_unit(lambda u: mark_gone(u, person.openid, REMINDER))
    person.accept("correction_requested")
    assert left(person.openid) == 1


def test_a_grant_is_taken_once_and_can_be_returned(person: Resident) -> None:
    person.accept("correction_requested")
    assert run_unit(lambda u: take(u, person.openid, REMINDER))
    assert not run_unit(lambda u: take(u, person.openid, REMINDER))
    run_unit(lambda u: give_back(u, person.openid, REMINDER))
    assert left(person.openid) == 1


def test_kinds_of_one_template_are_one_accept(person: Resident) -> None:
    answer = person.ask(
        "POST", "/messages/grants", {"accepted": ["correction_requested", "pre_review_passed", REMINDER]}
    )
    assert [grant["left"] for grant in answer.json()] == [1]


def test_an_unknown_name_is_refused(person: Resident) -> None:
    answer = person.ask("POST", "/messages/grants", {"accepted": ["correction_requested", "no_such_kind"]})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == ["accepted.1"]
    assert left(person.openid) == 0


def test_grants_need_a_wechat_account(town: Any, person: Resident) -> None:
    login = town.control("/alipay/login", {"phone": fresh_phone()})
    body = {"auth_code": login["auth_code"]}
    entered = requests.post(
        f"{town.base_url}/mp/v1/sessions/alipay", json=body, headers=key(), timeout=10
    ).json()
    stranger = Resident(town, entered["person"]["id"], "", "", entered["tickets"]["access_token"])
    answer = stranger.ask("POST", "/messages/grants", {"accepted": [REMINDER]})
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("no-wechat-account")


def test_the_client_learns_which_templates_there_are(town: Any, person: Resident) -> None:
    found = requests.get(f"{town.base_url}/mp/v1/messages/templates", timeout=10).json()
    assert REMINDER in {view["template_id"] for view in found}
    assert all(view["kinds"] for view in found)
