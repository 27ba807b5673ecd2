"""Staff: both factors, enrolment at the first login, lock-out, idle time-out, roles and reach."""

import secrets
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from backend import people
from backend.kernel import clock
from backend.kernel.problems import InvalidInput
from backend.store import journal
from backend.store.unit import SYSTEM, run_unit
from tests.people.makers import PASSWORD, Officer, ask, invited, officer, slug


def enrol(corner, invitation, password=PASSWORD):
    start = {"enrolment_token": invitation.token, "password": password}
    return ask(corner, "POST", "/dept/v1/sessions/enrolment", start)


def confirm(corner, invitation, totp):
    end = {"enrolment_token": invitation.token, "totp": totp}
    return ask(corner, "POST", "/dept/v1/sessions/enrolment/confirmation", end)


def me(corner, token):
    return ask(corner, "GET", "/dept/v1/me", token=token)


def seconds_ago(table, column, seconds, **where):
    name, value = next(iter(where.items()))
    statement = text(
        f"UPDATE {table} SET {column} = {column} - make_interval(secs => :s) WHERE {name} = :value"
    )
    run_unit(lambda u: u.session.execute(statement, {"s": seconds, "value": value}))


def test_the_first_administrator_enrols_one_time_codes(corner):
    account = f"admin{secrets.token_hex(3)}"
    invitation = run_unit(lambda u: people.create_admin(u, account, PASSWORD))
    refused = ask(
        corner, "POST", "/dept/v1/sessions", {"account": account, "password": PASSWORD, "totp": "123456"}
    )
    assert slug(refused) == "enrolment-needed"
    secret = enrol(corner, invitation).json()
    assert secret["otpauth_uri"].startswith("otpauth://totp/")
    tickets = confirm(corner, invitation, pyotp.TOTP(secret["secret"]).now())
    assert tickets.status_code == 201
    assert me(corner, tickets.json()["access_token"]).json()["scopes"][0]["role"] == "system_admin"


def test_the_administrators_password_must_fit_the_one_given(corner):
    invitation = run_unit(lambda u: people.create_admin(u, f"admin{secrets.token_hex(3)}", PASSWORD))
    assert slug(enrol(corner, invitation, "Another-one-77")) == "login-refused"


def test_an_enrolment_token_serves_once(corner):
    invitation = invited()
    secret = enrol(corner, invitation).json()["secret"]
    confirm(corner, invitation, pyotp.TOTP(secret).now())
    assert slug(enrol(corner, invitation)) == "enrolment-ended"


def test_an_enrolment_token_dies_after_a_week(corner):
    invitation = invited()
    seconds_ago("people_staff", "enrolment_until", 8 * 86400, id=invitation.staff_id)
    assert slug(enrol(corner, invitation)) == "enrolment-ended"


def test_a_wrong_first_code_enrols_nobody(corner):
    invitation = invited()
    enrol(corner, invitation)
    assert slug(confirm(corner, invitation, "000000")) in ("login-refused", "201")


@pytest.mark.parametrize("password", ["Short-7", "alllowercaseletters", "lowercase1234567", "x" * 129])
def test_weak_passwords_are_refused(corner, password):
    assert slug(enrol(corner, invited(), password)) == "password-too-weak"


def test_staff_log_in_with_both_factors(corner):
    one = officer(corner)
    tickets = one.login(corner)
    assert tickets.status_code == 201, tickets.text
    seen = me(corner, tickets.json()["access_token"]).json()
    assert (seen["label"], seen["name_masked"]) == ("市测试局 经办人员", "测**")


def test_a_one_time_code_serves_once(corner):
    one = officer(corner)
    assert one.login(corner).status_code == 201
    assert slug(one.login(corner)) == "login-refused"
    assert slug(one.login(corner, ahead=0)) == "login-refused"


def test_a_wrong_password_looks_like_a_wrong_code_and_an_unknown_account(corner):
    one = officer(corner)
    nobody = Officer(f"no{secrets.token_hex(4)}", "", pyotp.random_base32())
    answers = [one.login(corner, password="Wrong-one-77"), one.login(corner, ahead=9), nobody.login(corner)]
    told = [{k: v for k, v in a.json().items() if k != "instance"} for a in answers]
    assert told[0] == told[1] == told[2]


def test_five_failures_lock_for_fifteen_minutes(corner):
    one = officer(corner)
    answers = [slug(one.login(corner, password="Wrong-one-77")) for _ in range(6)]
    assert answers == ["login-refused"] * 5 + ["account-locked"]
    clock.advance(timedelta(minutes=14))
    assert slug(one.login(corner)) == "account-locked"
    clock.advance(timedelta(minutes=1, seconds=5))
    assert one.login(corner).status_code == 201


def test_an_unknown_account_is_locked_like_any_other(corner):
    nobody = Officer(f"no{secrets.token_hex(4)}", "", pyotp.random_base32())
    answers = [nobody.login(corner) for _ in range(6)]
    assert slug(answers[-1]) == "account-locked"
    assert int(answers[-1].headers["Retry-After"]) <= 901


def test_a_success_forgets_the_failures_before_it(corner):
    one = officer(corner)
    for _ in range(4):
        one.login(corner, password="Wrong-one-77")
    assert one.login(corner).status_code == 201
    assert slug(one.login(corner, password="Wrong-one-77")) == "login-refused"


def test_half_an_hour_of_silence_ends_a_session(corner):
    one = officer(corner)
    seconds_ago("people_session", "seen_at", 29 * 60, subject_id=one.id)
    assert me(corner, one.token).status_code == 200
    seconds_ago("people_session", "seen_at", 31 * 60, subject_id=one.id)
    assert slug(me(corner, one.token)) == "session-ended"


def test_disabled_staff_are_out_at_once(corner):
    one = officer(corner)
    run_unit(lambda u: people.disable_staff(u, one.id, by=SYSTEM))
    assert slug(me(corner, one.token)) == "session-ended"
    assert slug(one.login(corner)) == "login-refused"


def test_logout_ends_a_staff_session(corner):
    one = officer(corner)
    assert ask(corner, "DELETE", "/dept/v1/sessions/current", token=one.token).status_code == 204
    assert slug(me(corner, one.token)) == "session-ended"


def test_logins_and_failures_are_written_in_the_journal(corner):
    one = officer(corner)
    one.login(corner, password="Wrong-one-77")
    one.login(corner)
    lines = run_unit(lambda u: journal.entries_of(u.session, one.id))
    assert [line.trigger for line in lines[-4:]] == ["enrolled", "logged_in", "login_failed", "logged_in"]


def test_a_changed_password_ends_every_session(corner):
    one = officer(corner)
    body = {"account": one.account, "password": PASSWORD, "totp": one.code(1), "new_password": "Quite-new-88"}
    assert ask(corner, "POST", "/dept/v1/sessions/password", body).status_code == 204
    assert slug(me(corner, one.token)) == "session-ended"


def test_the_last_five_passwords_are_not_chosen_again(database):
    invitation = invited()
    chosen = [f"Number-{n}-of-many" for n in range(6)]
    for password in chosen:
        run_unit(lambda u, p=password: set_password(u, invitation.staff_id, p))
    with pytest.raises(people.PasswordTooWeak):
        run_unit(lambda u: set_password(u, invitation.staff_id, chosen[1]))
    run_unit(lambda u: set_password(u, invitation.staff_id, chosen[0]))


def test_a_password_of_ninety_days_must_be_changed(corner):
    one = officer(corner)
    seconds_ago("people_staff", "password_set_at", 91 * 86400, id=one.id)
    assert slug(one.login(corner)) == "password-too-old"


def test_three_administrators_are_three_people(database):
    with pytest.raises(people.RolesClash):
        invited("system_admin", "audit_admin")
    with pytest.raises(InvalidInput):
        invited("emperor")


def test_the_database_keeps_administrators_apart(database):
    invitation = invited("system_admin")
    slip = text(
        "INSERT INTO people_staff_role (staff_id, role, granted_at, granted_by) VALUES (:id, 'audit_admin', :at, 'x')"
    )
    with pytest.raises(people.RolesClash):
        run_unit(lambda u: u.session.execute(slip, {"id": invitation.staff_id, "at": clock.now()}))


def test_an_account_is_given_once(database):
    invitation = invited()
    with pytest.raises(people.AccountTaken):
        run_unit(
            lambda u: people.employ(
                u,
                invitation.account.upper(),
                "测试员",
                department_id=None,
                region_code=None,
                roles=(),
                by=SYSTEM,
            )
        )


def test_each_administrator_does_only_their_part(corner):
    system, security, audit = (officer(corner, f"{kind}_admin") for kind in ("system", "security", "audit"))
    account = {"account": f"n{secrets.token_hex(5)}", "name": "测试员", "department_id": "BZ-TEST"}
    opened = ask(corner, "POST", "/dept/v1/staff", account, token=system.token)
    assert opened.status_code == 201, opened.text
    roles = f"/dept/v1/staff/{opened.json()['staff_id']}/roles"
    assert slug(ask(corner, "PUT", roles, {"roles": ["handler"]}, token=system.token)) == "outside-your-scope"
    granted = ask(corner, "PUT", roles, {"roles": ["handler"]}, token=security.token)
    assert granted.json()["scopes"] == [{"role": "handler", "department_id": "BZ-TEST", "region_code": None}]
    assert slug(ask(corner, "POST", "/dept/v1/staff", account, token=audit.token)) == "outside-your-scope"
    assert ask(corner, "GET", "/dept/v1/staff", token=audit.token).status_code == 200


def test_an_administrator_is_given_no_other_work(corner):
    security, one = officer(corner, "security_admin"), officer(corner)
    for admin in ("system_admin", "security_admin", "audit_admin"):
        wish = {"roles": ["handler", admin]}
        refused = ask(corner, "PUT", f"/dept/v1/staff/{one.id}/roles", wish, token=security.token)
        assert slug(refused) == "roles-clash"


def test_nobody_grants_roles_to_themselves(corner):
    one = officer(corner, "security_admin")
    answer = ask(corner, "PUT", f"/dept/v1/staff/{one.id}/roles", {"roles": ["finance"]}, token=one.token)
    assert slug(answer) == "outside-your-scope"


def test_a_lost_phone_means_enrolling_anew(corner):
    admin, one = officer(corner, "system_admin"), officer(corner)
    again = ask(corner, "POST", f"/dept/v1/staff/{one.id}/invitation", token=admin.token)
    assert again.status_code == 201, again.text
    assert slug(me(corner, one.token)) == "session-ended"
    start = {"enrolment_token": again.json()["token"], "password": PASSWORD}
    assert ask(corner, "POST", "/dept/v1/sessions/enrolment", start).json()["secret"] != one.secret


def set_password(u, staff_id, password):
    from backend.people.models import Staff
    from backend.people.services import passwords

    staff = u.get(Staff, staff_id, lock=True)
    passwords.set_password(u, staff, password)
