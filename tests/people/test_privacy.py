"""Sealed at rest, masked by audience, every look written down."""

import secrets

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from backend import people
from backend.kernel.problems import InvalidInput, NotFound
from backend.store import rotation, vault
from backend.store.unit import run_unit
from tests.people.makers import CLERK, by_phone, sent_code, slug, verified

HOME = {
    "name": "测试收件人", "phone": "13800008000", "region_code": "341602", "province": "安徽省", "city": "亳州市",
    "district": "谯城区", "street": "魏武大道", "detail": "1 号楼 101 室",
}  # fmt: skip
WHOLE_TOWN = (
    "people_person", "people_channel", "people_address", "people_code", "people_tally", "store_journal", "store_outbox",
    "people_session",
)  # fmt: skip


def address(citizen, **other):
    return citizen.ask("POST", "/me/addresses", HOME | other)


def test_nothing_private_lies_open_in_the_database(corner, letters):
    citizen = verified(corner, letters)
    address(citizen)
    for table in WHOLE_TOWN:
        rows = run_unit(
            lambda u, t=table: u.session.execute(text(f"SELECT row_to_json(t)::text FROM {t} t")).all()
        )
        for private in (citizen.phone, citizen.id_no, citizen.name, HOME["detail"]):
            assert private not in str(rows), table


def test_a_person_is_found_by_four_keys(corner, letters):
    # A name that nobody else has: of many namesakes only the first twenty are shown.
    rare = "测试" + "".join(secrets.choice("子丑寅卯辰巳午未申酉戌亥") for _ in range(6))
    citizen = by_phone(corner, letters).papers(rare)
    assert citizen.register().ok
    keys = (
        {"id_no": citizen.id_no.lower()}, {"phone": citizen.phone}, {"name": citizen.name},
        {"surname_tail": citizen.name[0] + citizen.id_no[-4:]},
    )  # fmt: skip
    for key in keys:
        found = run_unit(lambda u, k=key: people.find_person(u, **k))
        assert citizen.id in {person.id for person in found}
        assert all("*" in person.name_masked and "*" in person.id_no_masked for person in found)


def test_one_key_at_a_time(database):
    with pytest.raises(InvalidInput):
        run_unit(people.find_person)
    with pytest.raises(InvalidInput):
        run_unit(lambda u: people.find_person(u, phone="13800008000", name="测试甲"))


def test_a_look_is_shown_to_the_person(corner, letters):
    citizen = verified(corner, letters)
    detail = run_unit(lambda u: people.reveal(u, citizen.id, CLERK, "核对申请材料", "cs-test"))
    assert (detail.name, detail.id_no, detail.phone) == (citizen.name, citizen.id_no, citizen.phone)
    looks = citizen.ask("GET", "/me/looks").json()["items"]
    assert [(look["who"], look["purpose"], look["matter"]) for look in looks] == [
        ("市测试局 窗口人员", "核对申请材料", "cs-test")
    ]


def test_looks_come_in_pages_newest_first(corner, letters):
    citizen = verified(corner, letters)
    for number in range(5):
        run_unit(lambda u, n=number: people.reveal(u, citizen.id, CLERK, f"第 {n} 次"))
    first = citizen.ask("GET", "/me/looks?limit=3").json()
    rest = citizen.ask("GET", f"/me/looks?limit=3&cursor={first['next']}").json()
    assert [look["purpose"] for look in first["items"] + rest["items"]] == [
        f"第 {n} 次" for n in (4, 3, 2, 1, 0)
    ]
    assert rest["next"] is None
    assert slug(citizen.ask("GET", "/me/looks?cursor=nonsense")) == "malformed-request"


def test_nobody_looks_without_a_purpose(corner, letters):
    citizen = verified(corner, letters)
    with pytest.raises(ValueError, match="purpose"):
        run_unit(lambda u: people.reveal(u, citizen.id, CLERK, " "))


def test_the_access_log_cannot_be_rewritten(corner, letters):
    citizen = verified(corner, letters)
    run_unit(lambda u: people.reveal(u, citizen.id, CLERK, "核对"))
    for statement in ("UPDATE people_access_log SET purpose = 'x'", "DELETE FROM people_access_log"):
        with pytest.raises(ProgrammingError, match="append-only"):
            run_unit(lambda u, s=statement: u.session.execute(text(s)))


def test_the_address_book_is_masked_in_lists(corner, letters):
    citizen = by_phone(corner, letters)
    made = address(citizen).json()
    assert (made["detail"], made["is_default"]) == (HOME["detail"], True)
    listed = citizen.ask("GET", "/me/addresses").json()
    assert listed[0]["phone_masked"] == "138****8000"
    assert HOME["detail"] not in str(listed)


def test_an_address_is_changed_and_removed(corner, letters):
    citizen = by_phone(corner, letters)
    first, second = address(citizen).json()["id"], address(citizen, is_default=True).json()["id"]
    assert [a["id"] for a in citizen.ask("GET", "/me/addresses").json()] == [second, first]
    changed = citizen.ask("PUT", f"/me/addresses/{first}", HOME | {"detail": "2 号楼"})
    assert changed.json()["detail"] == "2 号楼"
    assert citizen.ask("DELETE", f"/me/addresses/{first}").status_code == 204
    assert slug(citizen.ask("GET", f"/me/addresses/{first}")) == "address-not-found"
    assert run_unit(lambda u: people.address_of(u, citizen.id, first)).detail == "2 号楼"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_foreign_address_looks_absent(corner, letters, method):
    owner, other = by_phone(corner, letters), by_phone(corner, letters)
    foreign = address(owner).json()["id"]
    body = HOME if method == "PUT" else None
    answer = other.ask(method, f"/me/addresses/{foreign}", body)
    absent = other.ask(method, "/me/addresses/ad-nothing", body)
    assert (slug(answer), answer.status_code) == (slug(absent), 404) == ("address-not-found", 404)
    assert owner.ask("GET", f"/me/addresses/{foreign}").status_code == 200
    with pytest.raises(people.AddressNotFound):
        run_unit(lambda u: people.address_of(u, other.id, foreign))


def test_an_address_book_has_twenty_places(corner, letters):
    citizen = by_phone(corner, letters)
    for _ in range(20):
        assert address(citizen).status_code == 201
    assert slug(address(citizen)) == "address-book-full"


@pytest.mark.parametrize(
    "wrong", [{"phone": "123"}, {"region_code": "x"}, {"name": "甲1"}, {"floor": 3}, {"detail": ""}]
)
def test_wrong_addresses_are_refused(corner, letters, wrong):
    assert slug(address(by_phone(corner, letters), **wrong)) == "invalid-input"


def test_a_courier_who_looks_at_an_address_is_written_down(corner, letters):
    citizen = by_phone(corner, letters)
    made = address(citizen).json()["id"]
    shown = run_unit(lambda u: people.reveal_address(u, made, CLERK, "派送", "par-test"))
    assert shown.place == "安徽省亳州市谯城区魏武大道1 号楼 101 室"
    assert citizen.ask("GET", "/me/looks").json()["items"][0]["what"] == "收寄地址"
    assert run_unit(lambda u: people.masked_address(u, made)).name_masked == "测**"


def test_my_phone_is_changed_by_a_code(corner, letters):
    citizen, target = verified(corner, letters), by_phone(corner, letters)
    body = {"phone": target.phone, "code": sent_code(corner, letters, target.phone, "phone")}
    assert citizen.ask("PUT", "/me/phone", body).status_code == 200
    assert run_unit(lambda u: people.contact_of(u, citizen.id)).phone == target.phone
    assert slug(target.ask("GET", "/me")) == "session-ended"
    assert by_phone(corner, letters, target.phone).id == citizen.id
    assert by_phone(corner, letters, citizen.phone).id != citizen.id


def test_a_verified_persons_phone_is_not_taken(corner, letters):
    citizen, other = verified(corner, letters), verified(corner, letters)
    body = {"phone": other.phone, "code": sent_code(corner, letters, other.phone, "phone")}
    assert slug(citizen.ask("PUT", "/me/phone", body)) == "phone-taken"
    assert run_unit(lambda u: people.contact_of(u, other.id)).phone == other.phone


def test_wechat_can_vouch_for_the_phone(corner, letters):
    citizen = by_phone(corner, letters)
    login = corner.control("/wechat/login", {})
    me = citizen.ask("PUT", "/me/phone/wechat", {"phone_code": login["phone_code"]}).json()
    assert me["phone_masked"][-4:] == login["phone"][-4:]


def test_preferences_are_served_to_every_channel(corner, letters):
    citizen = by_phone(corner, letters)
    me = citizen.ask("PUT", "/me/preferences", {"elder_mode": True, "push_off": True}).json()
    assert (me["elder_mode"], me["push_off"]) == (True, True)
    assert run_unit(lambda u: people.contact_of(u, citizen.id)).elder_mode


def test_the_copy_of_my_data_is_complete_and_mine(corner, letters):
    citizen, other = verified(corner, letters), verified(corner, letters)
    address(citizen)
    run_unit(lambda u: people.reveal(u, citizen.id, CLERK, "核对"))
    copy = citizen.ask("GET", "/me/export").json()
    assert (copy["person"]["name"], copy["person"]["id_no"]) == (citizen.name, citizen.id_no)
    assert copy["addresses"][0]["detail"] == HOME["detail"]
    assert [len(copy[part]) for part in ("channels", "consents", "looks")] == [1, 1, 1]
    assert other.id_no not in str(copy)


def test_reading_me_twice_answers_not_modified(corner, letters):
    citizen = by_phone(corner, letters)
    tag = citizen.ask("GET", "/me").headers["ETag"]
    assert citizen.ask("GET", "/me", **{"If-None-Match": tag}).status_code == 304


def test_ways_to_ask_for_somebody_who_is_not_there(database):
    for question in (people.person_of, people.contact_of, people.me, people.require_level, people.export_of):
        with pytest.raises(NotFound):
            run_unit(lambda u, ask_it=question: ask_it(u, "ps-nobody"))


def test_levels_are_asked_for_by_name(corner, letters):
    citizen = by_phone(corner, letters)
    run_unit(lambda u: people.require_level(u, citizen.id, 1))
    with pytest.raises(people.RealNameNeeded):
        run_unit(lambda u: people.require_level(u, citizen.id))


def test_everybody_may_act_for_themselves_only(corner, letters):
    one, other = by_phone(corner, letters), by_phone(corner, letters)
    assert run_unit(lambda u: people.may_act_for(u, one.id, one.id))
    assert not run_unit(lambda u: people.may_act_for(u, one.id, other.id))


def test_the_id_tail_is_compared_whole(corner, letters):
    citizen = verified(corner, letters)
    assert run_unit(lambda u: people.id_tail_matches(u, citizen.id, citizen.id_no[-4:].lower()))
    for wrong in ("", citizen.id_no[-1], "0" * 4 if citizen.id_no[-4:] != "0000" else "1111"):
        assert not run_unit(lambda u, tail=wrong: people.id_tail_matches(u, citizen.id, tail))


def test_a_change_of_keys_keeps_everything_readable(corner, letters):
    citizen = verified(corner, letters)
    address(citizen)
    run_unit(lambda u: vault.add_data_key(u.session))
    run_unit(lambda u: vault.unlock(u.session))
    list(rotation.reseal())
    list(rotation.reindex())
    found = run_unit(lambda u: people.find_person(u, surname_tail=citizen.name[0] + citizen.id_no[-4:]))
    assert citizen.id in {person.id for person in found}
    assert citizen.ask("GET", "/me/export").json()["person"]["id_no"] == citizen.id_no
    assert by_phone(corner, letters, citizen.phone).id == citizen.id
