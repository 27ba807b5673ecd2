"""Departments' systems sign each request; couriers come with phone and code."""

import json
import secrets
from contextlib import contextmanager
from datetime import timedelta

import pytest
import requests
from flask import Request
from werkzeug.test import EnvironBuilder

from backend import people
from backend.kernel import clock
from backend.kernel.problems import InvalidInput
from backend.store.unit import SYSTEM, run_unit
from tests.people.makers import SECURITY_ADMIN, ask, fresh_phone, officer, open_system, slug

PROBE = "/dept/v1/cases"
DECISION = "/dept/v1/cases/cs-nothing/acceptance"


@pytest.fixture(scope="module")
def key(database):
    return open_system("BZ-TEST", "341600", "测试业务系统")


@contextmanager
def app_request(corner, key):
    """A signed request as the authenticator gets it."""
    at, nonce = str(int(clock.wire_seconds())), secrets.token_hex(12)
    signature = people.sign_request(key.secret, "GET", PROBE, at, nonce, b"")
    headers = {"X-Key-Id": key.key_id, "X-Time": at, "X-Nonce": nonce, "X-Signature": signature}
    yield Request(EnvironBuilder(path=PROBE, headers=headers).get_environ())


def call(corner, key, method="GET", path=PROBE, body=b"", **other):
    at, nonce = other.get("time", str(int(clock.wire_seconds()))), other.get("nonce", secrets.token_hex(12))
    secret, signed_body = other.get("secret", key.secret), other.get("signed_body", body)
    signature = people.sign_request(secret, method, other.get("signed_path", path), at, nonce, signed_body)
    headers = {
        "X-Key-Id": key.key_id, "X-Time": at, "X-Nonce": nonce, "X-Signature": other.get("signature", signature),
        "Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8),
    }  # fmt: skip
    return requests.request(method, corner.base_url + path, headers=headers, data=body, timeout=20)


def test_a_signed_request_is_its_departments(corner, key):
    assert call(corner, key).status_code == 200
    with app_request(corner, key) as request:
        principal = people.staff_or_system(request)
    assert (principal.kind, principal.id, principal.department_id) == ("system", key.system_id, "BZ-TEST")
    assert people.may_handle(principal, "BZ-TEST", "341602")
    assert not people.may_handle(principal, "BZ-GA", "341602")


def test_staff_use_the_same_window_with_their_token(corner):
    assert ask(corner, "GET", PROBE, token=officer(corner).token).status_code == 200


def test_a_system_does_not_pass_for_staff(corner, key):
    assert slug(call(corner, key, path="/dept/v1/me")) == "unauthenticated"


def test_query_and_body_are_signed_too(corner, key):
    body = json.dumps({"note": "x" * 30}).encode()
    assert slug(call(corner, key, "POST", DECISION, body=body)) != "signature-wrong"
    assert slug(call(corner, key, "POST", DECISION, body=body, signed_body=b"{}")) == "signature-wrong"
    assert slug(call(corner, key, path=f"{PROBE}?limit=5", signed_path=PROBE)) == "signature-wrong"
    assert call(corner, key, path=f"{PROBE}?limit=5").status_code == 200
    assert slug(call(corner, key, "POST", DECISION, body=body, signed_path=PROBE)) == "signature-wrong"


def test_a_path_with_chinese_is_signed_as_it_is_sent(corner, key):
    assert slug(call(corner, key, path="/dept/v1/%E6%A1%A3")) == "not-found"


def test_a_replayed_nonce_is_refused(corner, key):
    assert call(corner, key, nonce="once-and-never-again").status_code == 200
    assert slug(call(corner, key, nonce="once-and-never-again")) == "nonce-reused"


@pytest.mark.parametrize(
    ("shift", "told"), [(-301, "clock-skewed"), (301, "clock-skewed"), (-290, "200"), (290, "200")]
)
def test_time_stamps_hold_for_three_hundred_seconds(corner, key, shift, told):
    assert slug(call(corner, key, time=str(int(clock.wire_seconds()) + shift))) == told


@pytest.mark.parametrize("time", ["", "soon", "-1", "９９", "1" * 30])
def test_nonsense_for_a_time_is_refused(corner, key, time):
    assert slug(call(corner, key, time=time.encode("utf-8").decode("latin-1"))) in (
        "signature-wrong",
        "clock-skewed",
    )


def test_another_secret_or_an_unknown_key_is_refused(corner, key):
    assert slug(call(corner, key, secret="not the secret")) == "signature-wrong"
    stranger = people.SystemKeyIssued(key.system_id, "ky-unknown", key.secret)
    assert slug(call(corner, stranger)) == "signature-wrong"
    assert slug(call(corner, key, signature="")) == "signature-wrong"


def test_a_replaced_key_opens_until_its_time_is_over(corner):
    old = open_system()
    new = run_unit(lambda u: people.issue_system_key(u, old.system_id, by=SECURITY_ADMIN))
    run_unit(lambda u: people.confirm_system_key(u, new.key_id, by=SYSTEM))
    assert [call(corner, one).status_code for one in (old, new)] == [200, 200]
    run_unit(lambda u: people.disable_system_key(u, old.key_id, by=SYSTEM))
    assert slug(call(corner, old)) == "signature-wrong"
    assert call(corner, new).status_code == 200


def test_a_key_opens_nothing_until_another_administrator_confirms(corner):
    system, security = officer(corner, "system_admin"), officer(corner, "security_admin")
    wish = {"name": "测试业务系统", "department_id": "BZ-TEST"}
    assert slug(ask(corner, "POST", "/dept/v1/systems", wish, token=security.token)) == "outside-your-scope"
    admitted = ask(corner, "POST", "/dept/v1/systems", wish, token=system.token)
    assert (admitted.status_code, admitted.json()["keys"]) == (201, [])
    keys = f"/dept/v1/systems/{admitted.json()['id']}/keys"
    assert slug(ask(corner, "POST", keys, token=system.token)) == "outside-your-scope"
    made = people.SystemKeyIssued(**ask(corner, "POST", keys, token=security.token).json())
    assert slug(call(corner, made)) == "signature-wrong"
    confirmation = f"/dept/v1/systems/keys/{made.key_id}/confirmation"
    assert slug(ask(corner, "POST", confirmation, token=security.token)) == "outside-your-scope"
    shown = ask(corner, "POST", confirmation, token=system.token).json()
    assert [(one["id"], one["state"]) for one in shown["keys"]] == [(made.key_id, "active")]
    assert call(corner, made).status_code == 200
    assert slug(ask(corner, "POST", confirmation, token=system.token)) == "impossible-move"


def test_a_next_key_leaves_the_present_one_alone(corner):
    old = open_system()
    new = run_unit(lambda u: people.issue_system_key(u, old.system_id, by=SECURITY_ADMIN))
    assert [slug(call(corner, one)) for one in (old, new)] == ["200", "signature-wrong"]
    run_unit(lambda u: people.disable_system_key(u, new.key_id, by=SYSTEM))
    assert call(corner, old).status_code == 200


def test_nobody_confirms_a_key_they_made(database):
    old = open_system()
    with pytest.raises(people.OutsideYourScope):
        run_unit(
            lambda u: people.confirm_system_key(
                u, people.issue_system_key(u, old.system_id, by=SYSTEM).key_id, by=SYSTEM
            )
        )


def test_administrators_see_all_systems_and_no_secret(corner):
    issued = open_system()
    seen = ask(corner, "GET", "/dept/v1/systems", token=officer(corner, "audit_admin").token)
    assert issued.key_id in seen.text
    assert issued.secret not in seen.text
    assert slug(ask(corner, "GET", "/dept/v1/systems", token=officer(corner).token)) == "outside-your-scope"


def test_secrets_of_systems_are_sealed(database, key):
    from sqlalchemy import text

    kept = run_unit(lambda u: u.session.execute(text("SELECT secret FROM people_system_key")).scalars().all())
    assert all(key.secret.encode() not in bytes(secret) for secret in kept)


def rider(phone="", **more):
    words = {"carrier": "rider", "point": "测试寄递站", "region_code": "341602"} | more
    return run_unit(lambda u: people.enrol_rider(u, "测试骑手", phone or fresh_phone(), by=SYSTEM, **words))


def courier_login(corner, letters, phone):
    clock.advance(timedelta(seconds=61))
    ask(corner, "POST", "/courier/v1/codes", {"phone": phone})
    body = {"phone": phone, "code": letters.read(phone, "courier_login")}
    return ask(corner, "POST", "/courier/v1/sessions", body)


def test_a_courier_logs_in_and_out(corner, letters):
    phone = fresh_phone()
    enrolled = rider(phone)
    token = courier_login(corner, letters, phone).json()["access_token"]
    seen = ask(corner, "GET", "/courier/v1/me", token=token).json()
    assert (seen["id"], seen["point"], seen["carrier"]) == (enrolled.id, "测试寄递站", "rider")
    assert ask(corner, "DELETE", "/courier/v1/sessions/current", token=token).status_code == 204
    assert slug(ask(corner, "GET", "/courier/v1/me", token=token)) == "session-ended"


def test_a_couriers_token_opens_no_other_window(corner, letters):
    phone = fresh_phone()
    rider(phone)
    token = courier_login(corner, letters, phone).json()["access_token"]
    assert slug(ask(corner, "GET", "/mp/v1/me", token=token)) == "wrong-audience"
    assert slug(ask(corner, "GET", PROBE, token=token)) == "wrong-audience"


def test_a_suspended_courier_is_out_at_once(corner, letters):
    phone = fresh_phone()
    one = rider(phone)
    token = courier_login(corner, letters, phone).json()["access_token"]
    run_unit(lambda u: people.suspend_rider(u, one.id, by=SYSTEM))
    assert slug(ask(corner, "GET", "/courier/v1/me", token=token)) == "session-ended"
    assert ask(corner, "POST", "/courier/v1/sessions", {"phone": phone, "code": "123456"}).status_code == 422
    run_unit(lambda u: people.reinstate_rider(u, one.id, by=SYSTEM))
    assert courier_login(corner, letters, phone).status_code == 201


def test_a_couriers_phone_is_on_the_books_once(database):
    phone = fresh_phone()
    rider(phone)
    with pytest.raises(people.RiderKnown):
        rider(phone)
    with pytest.raises(InvalidInput):
        rider("12345")
