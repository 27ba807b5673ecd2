"""Registration with name and ID number, checked by the authority."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from backend import people
from backend.kernel import clock
from backend.kernel.problems import InvalidInput
from backend.store import journal
from backend.store.unit import run_unit
from tests.people.makers import (
    CLERK,
    CONSENT,
    ask,
    by_phone,
    by_wechat,
    fresh_id_no,
    fresh_phone,
    sent_code,
    slug,
    verified,
)


def rows_of(id_no):
    return run_unit(lambda u: people.find_person(u, id_no=id_no))


def events(kind):
    statement = text("SELECT payload->>'person_id' FROM store_outbox WHERE kind = :kind")
    return [row[0] for row in run_unit(lambda u: u.session.execute(statement, {"kind": kind}).all())]


def test_name_and_number_make_a_verified_person(corner, letters):
    citizen = verified(corner, letters)
    me = citizen.ask("GET", "/me").json()
    assert (me["level"], me["level_label"]) == (2, "已实名")
    assert me["id_no_masked"] == f"{citizen.id_no[:6]}********{citizen.id_no[-4:]}"
    assert citizen.id in events("PersonRegistered")


def test_registration_is_told_in_the_journal_without_private_data(corner, letters):
    citizen = verified(corner, letters)
    lines = run_unit(lambda u: journal.entries_of(u.session, citizen.id))
    assert [line.trigger for line in lines] == ["begun", "phone_proven", "identity_verified"]
    assert citizen.id_no not in str(lines)
    assert citizen.phone not in str(lines)


def test_registering_again_with_the_same_number_changes_nothing(corner, letters):
    citizen = verified(corner, letters)
    assert citizen.register().json()["person"]["level"] == 2
    assert len(rows_of(citizen.id_no)) == 1


def test_another_number_after_registration_is_refused(corner, letters):
    citizen = verified(corner, letters).papers()
    assert slug(citizen.register()) == "already-verified"


def test_the_authority_says_no(corner, letters):
    citizen = by_phone(corner, letters).papers()
    assert slug(citizen.register(name="测试别名")) == "identity-mismatch"
    assert citizen.ask("GET", "/me").json()["level"] == 1


def test_an_unknown_number_is_told_like_a_mismatch(corner, letters):
    citizen = by_phone(corner, letters)
    citizen.name, citizen.id_no = "测试甲", fresh_id_no()
    assert slug(citizen.register()) == "identity-mismatch"


@pytest.mark.parametrize("kind", ["5xx", "timeout_after"])
def test_a_silent_authority_leaves_nothing_half_done(corner, letters, kind, monkeypatch):
    citizen = by_phone(corner, letters).papers()
    impatient(monkeypatch)
    corner.control("/faults", {"provider": "identity", "kind": kind, "times": 1, "seconds": 2})
    answer = citizen.register()
    assert (answer.status_code, slug(answer)) == (503, "channel-silent")
    assert "几分钟后再试" in answer.json()["detail"]
    assert rows_of(citizen.id_no) == ()
    assert citizen.ask("GET", "/me/consents").json() == []
    assert citizen.register().status_code == 200


def test_a_silent_authority_costs_no_try(corner, letters):
    citizen = by_phone(corner, letters).papers()
    for _ in range(4):
        citizen.register(name="测试别名")
    corner.control("/faults", {"provider": "identity", "kind": "5xx", "times": 3})
    assert [slug(citizen.register()) for _ in range(3)] == ["channel-silent"] * 3
    assert citizen.register().status_code == 200


def test_five_tries_a_day(corner, letters):
    citizen = by_phone(corner, letters).papers()
    answers = [slug(citizen.register(name="测试别名")) for _ in range(6)]
    assert answers == ["identity-mismatch"] * 5 + ["too-many-tries"]
    clock.advance(timedelta(days=1, minutes=1))
    assert citizen.register().status_code == 200


@pytest.mark.parametrize(
    ("name", "id_no", "fields"),
    [
        ("测试甲", "341699196001010000", {"id_no"}),
        ("测试甲", "341699600101000", {"id_no"}),
        ("甲1", "110105194912310020", {"name", "id_no"}),
    ],
)
def test_wrong_names_and_numbers_are_told_by_field(corner, letters, name, id_no, fields):
    citizen = by_phone(corner, letters)
    answer = citizen.register(name=name, id_no=id_no)
    assert {error["field"] for error in answer.json()["errors"]} == fields


def test_a_small_x_is_stored_as_a_large_one(corner, letters):
    citizen = by_phone(corner, letters).papers()
    while not citizen.id_no.endswith("X"):
        citizen.papers()
    assert citizen.register(id_no=citizen.id_no.lower()).status_code == 200
    assert len(rows_of(citizen.id_no)) == 1


def test_children_register_with_their_guardian_at_the_window(corner, letters):
    citizen = by_phone(corner, letters)
    born = clock.today().replace(day=1) - timedelta(days=13 * 365)
    citizen.name, citizen.id_no = "测试甲", fresh_id_no(born)
    assert slug(citizen.register()) == "guardian-needed"
    old_enough = fresh_id_no(date(clock.today().year - 15, 1, 1))
    assert slug(citizen.register(id_no=old_enough)) == "identity-mismatch"


def test_a_visitor_must_prove_a_phone_first(corner):
    visitor = by_wechat(corner, with_phone=False).papers()
    assert slug(visitor.register()) == "phone-needed"


def test_consent_is_recorded_with_version_time_and_channel(corner, letters):
    citizen = verified(corner, letters)
    shown = ask(corner, "GET", "/mp/v1/consents/real_name").json()
    given = citizen.ask("GET", "/me/consents").json()
    assert [(c["scope"], c["version"], c["digest"], c["channel"]) for c in given] == [
        ("real_name", CONSENT, shown["digest"], "phone")
    ]
    assert given[0]["given_at"]


def test_consent_to_an_old_text_is_no_consent(corner, letters):
    citizen = by_phone(corner, letters).papers()
    answer = citizen.register(consent_version="2019-01")
    assert (slug(answer), answer.json()["version"]) == ("consent-outdated", CONSENT)
    assert citizen.ask("GET", "/me").json()["level"] == 1


def test_an_unknown_consent_text_is_absent(corner):
    assert slug(ask(corner, "GET", "/mp/v1/consents/..%2Fsecrets")) in ("consent-unknown", "not-found")
    assert slug(ask(corner, "GET", "/mp/v1/consents/nothing")) == "consent-unknown"


def test_a_known_number_with_another_phone_shows_only_its_mask(corner, letters):
    known, newcomer = verified(corner, letters), by_phone(corner, letters)
    newcomer.name, newcomer.id_no = known.name, known.id_no
    answer = newcomer.register()
    assert slug(answer) == "registered-elsewhere"
    assert answer.json()["phone"] == f"{known.phone[:3]}****{known.phone[-4:]}"


def test_a_prober_with_a_wrong_name_learns_nothing(corner, letters):
    known, prober = verified(corner, letters), by_phone(corner, letters)
    prober.name, prober.id_no = "测试别名", known.id_no
    answer = prober.register()
    assert slug(answer) == "identity-mismatch"
    assert "phone" not in answer.json()


def test_the_earlier_phone_joins_the_newcomer_to_its_person(corner, letters):
    known, newcomer = verified(corner, letters), by_wechat(corner)
    newcomer.name, newcomer.id_no = known.name, known.id_no
    right = sent_code(corner, letters, known.phone, "real_name")
    wrong = "000000" if right != "000000" else "111111"
    assert slug(newcomer.register(code=wrong)) == "wrong-code"
    joined = newcomer.register(code=right).json()
    assert joined["person"]["id"] == known.id
    assert slug(newcomer.ask("GET", "/me")) == "session-ended"
    me = ask(corner, "GET", "/mp/v1/me", token=joined["tickets"]["access_token"]).json()
    assert (me["id"], me["channels"]) == (known.id, ["phone", "wechat"])
    assert run_unit(lambda u: people.person_of(u, newcomer.id)).id == known.id


def test_two_racing_for_one_number_become_one_person(corner, letters):
    rivals = [by_phone(corner, letters) for _ in range(4)]
    rivals[0].papers()
    for rival in rivals:
        rival.name, rival.id_no = rivals[0].name, rivals[0].id_no
    with ThreadPoolExecutor(4) as pool:
        answers = sorted(slug(answer) for answer in pool.map(lambda rival: rival.register(), rivals))
    assert answers == ["200", *["registered-elsewhere"] * 3]
    assert len(rows_of(rivals[0].id_no)) == 1


def test_a_clerk_registers_whoever_stands_at_the_window(corner, letters):
    phone = fresh_phone()
    name, id_no = "测试己", fresh_id_no(date(2015, 6, 1))
    corner.control("/people", {"name": name, "id_no": id_no, "phone": phone})
    first = people.register_at_window(name, id_no, phone, CLERK)
    assert (first.level, first.phone_masked) == (2, f"{phone[:3]}****{phone[-4:]}")
    assert people.register_at_window(name, id_no, "", CLERK).id == first.id
    with pytest.raises(people.IdentityMismatch):
        people.register_at_window("测试庚", id_no, "", CLERK)
    with pytest.raises(InvalidInput):
        people.register_at_window(name, id_no, "hello, world", CLERK)


def test_whoever_registered_at_the_window_later_finds_themselves(corner, letters):
    citizen = by_phone(corner, letters).papers()
    at_window = people.register_at_window(citizen.name, citizen.id_no, citizen.phone, CLERK)
    joined = citizen.register().json()
    assert joined["person"]["id"] == at_window.id
    assert by_phone(corner, letters, citizen.phone).id == at_window.id


def impatient(monkeypatch):
    """Wait a second for the authority instead of ten."""
    monkeypatch.setattr(people_authority()._telephone, "timeout", (1.0, 1.0))


def people_authority():
    from backend.people.identity import authority

    return authority()
