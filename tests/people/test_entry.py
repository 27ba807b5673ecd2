"""Coming in through WeChat, Alipay or a phone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import text

from backend import people
from backend.kernel import clock
from backend.store.unit import run_unit
from tests.people.makers import Citizen, ask, by_phone, by_wechat, fresh_phone, sent_code, slug, verified


def alipay_login(corner, phone, *, with_phone=True):
    login = corner.control("/alipay/login", {"phone": phone})
    body = {"auth_code": login["auth_code"]}
    if with_phone:
        body["phone"] = {name: login["encrypted_phone"][name] for name in ("response", "sign")}
    return ask(corner, "POST", "/mp/v1/sessions/alipay", body)


def test_a_stranger_enters_by_phone_and_becomes_reachable(corner, letters):
    me = by_phone(corner, letters).ask("GET", "/me").json()
    assert (me["level"], me["channels"]) == (1, ["phone"])
    assert me["phone_masked"][3:7] == "****"


def test_entering_again_by_phone_is_the_same_person(corner, letters):
    first = by_phone(corner, letters)
    assert by_phone(corner, letters, first.phone).id == first.id


def test_wechat_and_phone_lead_to_one_person(corner, letters):
    first = by_phone(corner, letters)
    again = by_wechat(corner, first.phone)
    assert again.id == first.id
    assert again.ask("GET", "/me").json()["channels"] == ["phone", "wechat"]


def test_wechat_without_the_phone_button_makes_a_visitor(corner):
    visitor = by_wechat(corner, with_phone=False)
    assert visitor.ask("GET", "/me").json()["level"] == 0


def test_a_visitor_who_proves_a_known_phone_joins_its_person(corner, letters):
    known = by_phone(corner, letters)
    visitor = by_wechat(corner, known.phone, with_phone=False)
    assert visitor.id != known.id
    assert by_wechat(corner, known.phone).id == known.id
    assert slug(visitor.ask("GET", "/me")) == "session-ended"


def test_alipay_brings_account_and_phone(corner, letters):
    phone = fresh_phone()
    answer = alipay_login(corner, phone)
    assert answer.status_code == 201, answer.text
    citizen = Citizen(corner, phone).take(answer.json())
    assert citizen.ask("GET", "/me").json()["channels"] == ["alipay", "phone"]
    assert by_phone(corner, letters, phone).id == citizen.id


def test_one_person_behind_three_channels_is_reached_on_each(corner, letters):
    person = by_wechat(corner)
    alipay_login(corner, person.phone)
    contact = run_unit(lambda u: people.contact_of(u, person.id))
    assert contact.phone == person.phone
    assert set(contact.openids) == {"wechat", "alipay"}
    assert run_unit(lambda u: people.account_of(u, person.id, "wechat")) == contact.openids["wechat"]


def test_a_wechat_code_serves_only_once(corner):
    login = corner.control("/wechat/login", {"phone": fresh_phone()})
    body = {"code": login["code"]}
    assert ask(corner, "POST", "/mp/v1/sessions/wechat", body).status_code == 201
    assert slug(ask(corner, "POST", "/mp/v1/sessions/wechat", body)) == "login-code-refused"


def test_a_repeated_login_request_gets_the_same_session(corner):
    login = corner.control("/wechat/login", {"phone": fresh_phone()})
    body = {"code": login["code"]}
    first, second = (
        ask(corner, "POST", "/mp/v1/sessions/wechat", body, key="weak-network-1") for _ in range(2)
    )
    assert first.json() == second.json()


def test_an_alipay_code_that_is_not_theirs_is_refused(corner):
    answer = ask(corner, "POST", "/mp/v1/sessions/alipay", {"auth_code": "never-issued"})
    assert slug(answer) in ("login-code-refused", "channel-silent")


def test_a_forged_alipay_phone_is_refused(corner):
    login = corner.control("/alipay/login", {"phone": fresh_phone()})
    phone = {
        "response": login["encrypted_phone"]["response"],
        "sign": "AAAA" + login["encrypted_phone"]["sign"][4:],
    }
    answer = ask(corner, "POST", "/mp/v1/sessions/alipay", {"auth_code": login["auth_code"], "phone": phone})
    assert slug(answer) == "login-code-refused"


def shown_phone(login):
    return {name: login["encrypted_phone"][name] for name in ("response", "sign")}


def test_a_signed_phone_belongs_to_the_account_that_brought_it(corner):
    login = corner.control("/alipay/login", {"phone": fresh_phone()})
    first = {"auth_code": login["auth_code"], "phone": shown_phone(login)}
    holder = ask(corner, "POST", "/mp/v1/sessions/alipay", first).json()["person"]["id"]
    thief = corner.control("/alipay/login", {"phone": fresh_phone()})
    stolen = {"auth_code": thief["auth_code"], "phone": shown_phone(login)}
    assert slug(ask(corner, "POST", "/mp/v1/sessions/alipay", stolen)) == "login-code-refused"
    again = corner.control("/alipay/login", {"phone": login["phone"]})
    body = {"auth_code": again["auth_code"], "phone": shown_phone(login)}
    assert ask(corner, "POST", "/mp/v1/sessions/alipay", body).json()["person"]["id"] == holder


def test_a_stolen_signed_phone_changes_nobodys_number(corner):
    login, thief = corner.control("/alipay/login", {"phone": fresh_phone()}), by_wechat(corner)
    ask(
        corner,
        "POST",
        "/mp/v1/sessions/alipay",
        {"auth_code": login["auth_code"], "phone": shown_phone(login)},
    )
    assert slug(thief.ask("PUT", "/me/phone/alipay", shown_phone(login))) == "login-code-refused"
    own = corner.control("/alipay/login", {"phone": fresh_phone()})
    assert [thief.ask("PUT", "/me/phone/alipay", shown_phone(own)).status_code for _ in range(2)] == [
        200,
        200,
    ]


def test_a_signed_phone_nobody_showed_for_long_is_free_again(corner):
    login = corner.control("/alipay/login", {"phone": fresh_phone()})
    ask(
        corner,
        "POST",
        "/mp/v1/sessions/alipay",
        {"auth_code": login["auth_code"], "phone": shown_phone(login)},
    )
    older = text("UPDATE people_phone_answer SET heard_at = heard_at - interval '91 days'")
    run_unit(lambda u: u.session.execute(older))
    assert by_wechat(corner).ask("PUT", "/me/phone/alipay", shown_phone(login)).status_code == 200


def test_a_new_account_with_a_verified_persons_phone_proves_itself(corner, letters):
    citizen = verified(corner, letters)
    assert slug(alipay_login(corner, citizen.phone)) == "prove-it-is-you"
    told = [slug(wechat_login(corner, citizen.phone, tail)) for tail in ("", citizen.id_no[-4:], "")]
    assert told == ["prove-it-is-you", "201", "201"]
    assert citizen.ask("GET", "/me").json()["channels"] == ["phone", "wechat"]


def wechat_login(corner, phone, tail):
    login = corner.control("/wechat/login", {"phone": phone})
    body = {"code": login["code"], "phone_code": login["phone_code"], "id_tail": tail}
    return ask(corner, "POST", "/mp/v1/sessions/wechat", body)


def test_a_silent_platform_is_told_and_leaves_nothing(corner):
    login = corner.control("/wechat/login", {"phone": fresh_phone()})
    corner.control("/faults", {"provider": "wechat", "kind": "5xx", "times": 1})
    answer = ask(corner, "POST", "/mp/v1/sessions/wechat", {"code": login["code"]})
    assert (answer.status_code, slug(answer)) == (503, "channel-silent")
    assert int(answer.headers["Retry-After"]) > 0


def test_ten_first_logins_at_once_make_one_person(corner, letters):
    phone = fresh_phone()
    with ThreadPoolExecutor(10) as pool:
        entered = {person.id for person in pool.map(lambda _: by_wechat(corner, phone), range(10))}
    assert len(entered) == 1


def test_two_verified_people_are_never_joined(corner, letters):
    first, second = verified(corner, letters), verified(corner, letters)
    login = corner.control("/wechat/login", {"phone": second.phone})
    other = corner.control("/wechat/login", {"phone": first.phone})
    body = {"code": other["code"], "phone_code": other["phone_code"], "id_tail": first.id_no[-4:]}
    assert ask(corner, "POST", "/mp/v1/sessions/wechat", body).status_code == 201
    other = corner.control("/wechat/login", {"phone": first.phone})
    mixed = ask(
        corner, "POST", "/mp/v1/sessions/wechat", {"code": other["code"], "phone_code": login["phone_code"]}
    )
    assert mixed.json()["person"]["id"] == first.id
    assert by_phone(corner, letters, second.phone).id == second.id


def test_a_number_unused_for_long_must_prove_itself(corner, letters):
    citizen = verified(corner, letters)
    _was_last_seen(citizen.id, clock.wire_now() - timedelta(days=91))
    body = {"phone": citizen.phone, "code": sent_code(corner, letters, citizen.phone, "login")}
    assert slug(ask(corner, "POST", "/mp/v1/sessions/phone", body)) == "prove-it-is-you"
    body["id_tail"] = citizen.id_no[-4:].lower()
    assert ask(corner, "POST", "/mp/v1/sessions/phone", body).json()["person"]["id"] == citizen.id


def test_id_tails_cannot_be_guessed_for_long(corner, letters):
    citizen = verified(corner, letters)
    _was_last_seen(citizen.id, clock.wire_now() - timedelta(days=91))
    wrong = "0000" if citizen.id_no[-4:] != "0000" else "1111"
    answers = []
    for _ in range(6):
        login = corner.control("/wechat/login", {"phone": citizen.phone})
        body = {"code": login["code"], "phone_code": login["phone_code"], "id_tail": wrong}
        answers.append(slug(ask(corner, "POST", "/mp/v1/sessions/wechat", body)))
    assert answers == ["prove-it-is-you"] * 5 + ["too-many-tries"]


def test_login_bodies_with_unknown_fields_are_refused(corner):
    answer = ask(corner, "POST", "/mp/v1/sessions/wechat", {"code": "x", "role": "admin"})
    assert (slug(answer), answer.json()["errors"][0]["field"]) == ("invalid-input", "role")


def test_logging_in_needs_an_idempotency_key(corner):
    answer = ask(corner, "POST", "/mp/v1/sessions/wechat", {"code": "x"}, key="short")
    assert slug(answer) == "idempotency-key-missing"


def _was_last_seen(person_id, at):
    statement = text("UPDATE people_person SET seen_at = :at WHERE id = :id")
    run_unit(lambda u: u.session.execute(statement, {"at": at, "id": person_id}))
