"""Reach of roles, people of the demo, the chore that sweeps, and the words of the house."""

import json
import secrets
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from backend import people
from backend.kernel import clock
from backend.people import machine, scopes, wording
from backend.people.tasks import purge
from backend.runtime.audience import Principal
from backend.runtime.settings import settings
from backend.store import journal
from backend.store.unit import SYSTEM, run_unit
from tests.people.makers import ask, by_phone, fresh_phone


def principal(*reach):
    return Principal(
        "staff", "st-x", roles=frozenset(s.role for s in reach), extra={"scopes": scopes.packed(reach)}
    )


@pytest.mark.parametrize(
    ("scope", "region", "covered"),
    [
        (None, "341602", True), ("341600", "341602", True), ("341600", "341602403", True), ("341600", "3416JKQ", True),
        ("341602", "341602403", True), ("341602", "341621", False), ("341602", "341600", False),
        ("341602", None, False), ("341600", None, True), (None, None, True), ("341600", "341702", False),
    ],
)  # fmt: skip
def test_a_region_lies_in_another(scope, region, covered):
    assert people.covers(scope, region) is covered


def test_reach_is_role_department_and_region_together():
    handler = principal(people.Scope("handler", "BZ-GA", "341602"), people.Scope("finance", None, None))
    assert people.may_handle(handler, "BZ-GA", "341602")
    assert people.may_handle(handler, "BZ-GT", "341602", "finance")
    assert not people.may_handle(handler, "BZ-GT", "341602", "handler")
    assert not people.may_handle(handler, "BZ-GA", "341621", "handler")
    with pytest.raises(people.OutsideYourScope):
        people.require_may_handle(handler, "BZ-GA", "341621", "handler")


def test_administrators_handle_no_matter():
    admin = principal(people.Scope("system_admin", None, None))
    assert not people.may_handle(admin, "BZ-GA", "341602")
    with pytest.raises(people.OutsideYourScope):
        people.require_role(admin, "audit_admin")


def test_what_a_principal_carries_is_what_was_packed():
    reach = (people.Scope("handler", "BZ-GA", None), people.Scope("planner", None, "341602"))
    assert people.scopes_of(principal(*reach)) == reach
    assert people.scopes_of(Principal("citizen", "ps-x")) == ()


def test_people_of_the_demo_are_settled_once(database):
    first, second = (run_unit(people.settle_demo_people) for _ in range(2))
    assert first == second
    assert {"system_admin", "security_admin", "audit_admin"} <= {
        role for one in first.staff for role in one.roles
    }


def test_people_of_the_demo_can_log_in(corner):
    demo = run_unit(people.settle_demo_people)
    one = demo.staff[0]
    body = {"account": one.account, "password": one.password, "totp": pyotp.TOTP(one.totp_secret).now()}
    token = ask(corner, "POST", "/dept/v1/sessions", body).json()["access_token"]
    assert ask(corner, "GET", "/dept/v1/me", token=token).json()["label"] == one.label


def test_production_has_no_people_of_the_demo(database, monkeypatch):
    town = settings().town
    monkeypatch.setattr(type(town), "is_production", property(lambda self: True))
    with pytest.raises(RuntimeError, match="production"):
        run_unit(people.settle_demo_people)


def test_what_served_its_time_is_swept(corner, letters):
    gone, kept = by_phone(corner, letters), by_phone(corner, letters)
    gone.ask("DELETE", "/sessions/current")
    old = {"at": clock.wire_now() - timedelta(days=31), "id": gone.id}
    run_unit(
        lambda u: u.session.execute(
            text("UPDATE people_session SET ended_at = :at WHERE subject_id = :id"), old
        )
    )
    run_unit(
        lambda u: u.session.execute(
            text("INSERT INTO people_nonce VALUES ('ky-x', :n, :at)"),
            {"n": secrets.token_hex(8), "at": old["at"]},
        )
    )
    clock.advance(timedelta(days=3))
    assert purge() > 0
    left = run_unit(
        lambda u: u.session.execute(text("SELECT subject_id FROM people_session")).scalars().all()
    )
    assert gone.id not in left
    assert kept.id in left
    stale = text("SELECT count(*) FROM people_tally WHERE opened_at < :at")
    at = {"at": clock.now() - timedelta(days=2)}
    assert run_unit(lambda u: u.session.execute(stale, at).scalar()) == 0
    assert (
        run_unit(
            lambda u: u.session.execute(
                text("SELECT count(*) FROM people_nonce WHERE key_id = 'ky-x'")
            ).scalar()
        )
        == 0
    )


def test_every_role_and_level_has_a_word():
    assert all(wording.label(f"role.{role}") for role in scopes.ROLES)
    assert all(wording.label(f"level.{level}") for level in (0, 1, 2))


def test_consent_texts_say_their_version_and_digest():
    shown = wording.consent_text("real_name")
    assert (len(shown.digest), shown.version, "敏感个人信息" in shown.text) == (64, "2026-01", True)
    with pytest.raises(people.ConsentUnknown):
        wording.consent_text("../labels")


@pytest.mark.parametrize("one", [machine.PERSON, machine.STAFF, machine.RIDER, machine.SYSTEM_KEY])
def test_machines_reach_every_state(one):
    assert one.reachable() == one.states


def test_staff_changes_are_written_in_the_journal(database):
    invitation = run_unit(
        lambda u: people.employ(
            u,
            f"j{secrets.token_hex(5)}",
            "测试员",
            department_id="BZ-TEST",
            region_code=None,
            roles=("handler",),
            by=SYSTEM,
        )
    )
    run_unit(lambda u: people.grant_roles(u, invitation.staff_id, ("planner",), by=SYSTEM))
    run_unit(lambda u: people.disable_staff(u, invitation.staff_id, by=SYSTEM))
    lines = run_unit(lambda u: journal.entries_of(u.session, invitation.staff_id))
    assert [line.trigger for line in lines] == ["begun", "roles_granted", "roles_granted", "disabled"]


def test_no_private_words_stand_in_the_demo_file():
    written = json.loads((Path("data") / "demo_people.json").read_text("utf-8"))
    assert "password" not in json.dumps(written["staff"])
    assert fresh_phone()
