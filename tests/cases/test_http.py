"""Both windows over HTTP: bad input, foreign cases, repeated requests, masks, systems' notices in order."""

import io
import json
import threading
from typing import Any

import pytest

from backend import cases, people
from backend.kernel import ids
from backend.people.services import codes
from backend.runtime import paging
from backend.store.unit import unit
from tests.cases import makers
from tests.cases.visitors import Answer, Visitor, Visitors


def body(**changes: Any) -> dict[str, Any]:
    with unit() as u:
        given = makers.application(u, "ps-x").materials
    told = {
        "item_id": makers.HOME,
        "form": makers.FORM,
        "materials": [{"code": one.code, "mode": one.mode} for one in given],
        "delivery": "window",
        "channel": "wechat",
    }
    return {**told, **changes}


def file_one(who: Visitor, **changes: Any) -> str:
    answer = who.post("/mp/v1/cases", body(**changes))
    assert answer.status_code == 201, answer.json
    return str(answer.json["case_id"])


def slug(answer: Any) -> str:
    return str(answer.json["type"].rsplit(":", 1)[1])


def test_a_citizen_files_and_follows_a_case(visitor: Visitors) -> None:
    who = visitor.citizen()
    case_id = file_one(who)
    seen = who.get(f"/mp/v1/cases/{case_id}")
    assert seen.json["holder_label"] == "部门办理中"
    assert [step["says"] for step in seen.json["steps"]] == ["提交了申请"]
    assert who.get("/mp/v1/cases").json["items"][0]["case_id"] == case_id
    again = who.get(f"/mp/v1/cases/{case_id}", **{"If-None-Match": seen.headers["ETag"]})
    assert again.status_code == 304


def test_the_timeline_takes_one_statement(visitor: Visitors, statements: list[str]) -> None:
    who = visitor.citizen()
    case_id = file_one(who, item_id=makers.LICENCE)
    statements.clear()
    assert who.get(f"/mp/v1/cases/{case_id}").status_code == 200
    # The one statement goes past SQLAlchemy; whatever it sees would be a second one.
    assert statements == []


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"surprise": 1}, 422, "invalid-input"),
        ({"materials": "none"}, 422, "invalid-input"),
        ({"delivery": "drone"}, 422, "invalid-input"),
        ({"channel": "window"}, 422, "invalid-input"),
        ({"item_id": "SI999"}, 404, "item-unknown"),
        ({"materials": []}, 422, "materials-missing"),
        ({"delivery": "courier"}, 422, "delivery-unknown"),
        ({"delivery": "courier", "address_id": "ad-unknown"}, 404, "address-not-found"),
        ({"form": {"house_kind": {"deep": ["nonsense"]}}}, 422, "invalid-input"),
    ],
)
def test_a_wrong_application_is_refused_and_leaves_nothing(
    visitor: Visitors, change: dict[str, Any], status: int, told: str
) -> None:
    who = visitor.citizen()
    answer = who.post("/mp/v1/cases", body(**change))
    assert (answer.status_code, slug(answer)) == (status, told)
    assert who.get("/mp/v1/cases").json == {"items": [], "next": None}


def test_broken_and_oversized_bodies_are_refused(visitor: Visitors) -> None:
    who = visitor.citizen()
    assert slug(who.post("/mp/v1/cases", raw=b'{"item_id": ')) == "malformed-request"
    assert slug(who.post("/mp/v1/cases", raw=b'{"a": "' + b"x" * 300_000 + b'"}')) == "too-large"
    assert (
        slug(who.post("/mp/v1/cases", raw=b"a=b", media="application/x-www-form-urlencoded"))
        == "unsupported-media"
    )


def test_a_foreign_case_looks_absent_everywhere(visitor: Visitors) -> None:
    case_id, stranger = file_one(visitor.citizen()), visitor.citizen()
    absent = ids.new_id("cs")
    for path in ("", "/materials", "/result"):
        foreign, gone = (stranger.get(f"/mp/v1/cases/{one}{path}") for one in (case_id, absent))
        assert (foreign.status_code, slug(foreign)) == (gone.status_code, slug(gone)) == (404, "not-found")
    for path, sent in (("withdrawal", {}), ("correction", {}), ("reopening", None)):
        assert stranger.post(f"/mp/v1/cases/{case_id}/{path}", sent).status_code == 404
    for path in ("pre-review", "acceptance", "review", "resumption", "handover"):
        assert visitor.officer(makers.POLICE).post(f"/dept/v1/cases/{case_id}/{path}").status_code == 404


def test_identical_simultaneous_posts_make_one_case(visitor: Visitors) -> None:
    who, sent, key = visitor.citizen(), body(), ids.token()
    answers: list[Any] = []

    def post() -> None:
        own = Visitor(who.http.application.test_client(), who.headers)
        answers.append(own.post("/mp/v1/cases", sent, key=key))

    crowd = [threading.Thread(target=post) for _ in range(6)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json["number"] for answer in answers if answer.status_code == 201}) == 1
    assert len(who.get("/mp/v1/cases").json["items"]) == 1


def test_the_same_key_with_another_body_is_refused(visitor: Visitors) -> None:
    who, key = visitor.citizen(), ids.token()
    assert who.post("/mp/v1/cases", body(), key=key).status_code == 201
    assert slug(who.post("/mp/v1/cases", body(channel="h5"), key=key)) == "idempotency-key-reused"


def test_a_body_without_a_length_is_part_of_the_key_too(visitor: Visitors) -> None:
    who, key = visitor.citizen(), ids.token()

    def post(sent: dict[str, Any]) -> Answer:
        heads = {**who.headers, "Idempotency-Key": key, "Content-Type": "application/json"}
        stream = io.BytesIO(json.dumps(sent).encode())
        chunked = {"wsgi.input": stream, "wsgi.input_terminated": True}
        return Answer.of(who.http.post("/mp/v1/cases", headers=heads, environ_overrides=chunked))

    first = post(body())
    assert first.status_code == 201
    assert slug(post(body(channel="h5"))) == "idempotency-key-reused"
    assert slug(post({"form": {"x": "y" * 300_000}})) == "too-large"


def test_numbers_typed_into_a_reason_stay_out_of_the_journal(visitor: Visitors) -> None:
    who = visitor.citizen()
    case_id, number = file_one(who), makers.id_number()
    told = {"reason": f"我的身份证是{number}，电话13912345678，不办了"}
    assert who.post(f"/mp/v1/cases/{case_id}/withdrawal", told).status_code == 200
    with unit() as u:
        facts = str([line.facts for line in u.journal_of(case_id)])
    assert "不办了" in facts
    assert number not in facts
    assert "13912345678" not in facts


def test_an_ended_session_sees_no_timeline(visitor: Visitors) -> None:
    who = visitor.citizen()
    case_id = file_one(who)
    with unit() as u:
        people.end_all_sessions(u, who.person_id)
    assert slug(who.get(f"/mp/v1/cases/{case_id}")) == "session-ended"
    assert visitor.stranger().get(f"/mp/v1/cases/{case_id}").status_code == 401


def test_cases_come_in_pages(visitor: Visitors) -> None:
    who = visitor.citizen()
    filed = [file_one(who) for _ in range(3)]
    first = who.get("/mp/v1/cases?limit=2").json
    second = who.get(f"/mp/v1/cases?limit=2&cursor={first['next']}").json
    assert [line["case_id"] for line in (*first["items"], *second["items"])] == filed[::-1]
    assert second["next"] is None
    assert slug(who.get("/mp/v1/cases?cursor=nonsense")) == "malformed-request"


def test_the_file_is_masked_until_revealed(visitor: Visitors) -> None:
    who, officer = visitor.citizen(), visitor.officer()
    case_id = file_one(who)
    seen = officer.get(f"/dept/v1/cases/{case_id}").json
    assert (seen["person_name"], seen["form"]["owner_name"]) == ("测**", "***")
    assert "*" in seen["person_id_no"]
    assert seen["form"]["house_kind"] == "residential"
    told = officer.post(f"/dept/v1/cases/{case_id}/reveal", {"purpose": "核对申请人"}).json
    assert told["form"]["owner_name"] == "测试甲"
    looks = who.get("/mp/v1/me/looks").json["items"]
    assert looks[0]["purpose"] == "核对申请人"


def test_the_queue_shows_my_department_only(visitor: Visitors) -> None:
    case_id = file_one(visitor.citizen(), item_id=makers.LICENCE)
    officer, stranger = visitor.officer(), visitor.officer(makers.POLICE)
    page, found = officer.get("/dept/v1/cases?state=submitted&limit=100").json, set()
    while True:
        found |= {line["case_id"] for line in page["items"]}
        if page["next"] is None:
            break
        page = officer.get(f"/dept/v1/cases?state=submitted&limit=100&cursor={page['next']}").json
    assert case_id in found
    assert stranger.get("/dept/v1/cases").json["items"] == []
    assert visitor.officer(makers.LAND, "audit_admin").get("/dept/v1/cases").status_code == 403


def test_the_queue_by_due_day_is_in_order(visitor: Visitors) -> None:
    officer = visitor.officer()
    file_one(visitor.citizen())
    for due in ("soon", "today", "overdue"):
        answer = officer.get(f"/dept/v1/cases?due={due}&limit=2")
        assert answer.status_code == 200
        days = [line["due"]["on"] for line in answer.json["items"]]
        assert days == sorted(days)
        if answer.json["next"]:
            following = officer.get(f"/dept/v1/cases?due={due}&limit=2&cursor={answer.json['next']}").json
            assert not {line["case_id"] for line in following["items"]} & {
                line["case_id"] for line in answer.json["items"]
            }


def test_a_clerk_files_for_a_citizen_at_the_window(visitor: Visitors) -> None:
    clerk, who = visitor.officer(), visitor.citizen()
    with unit() as u:
        number = people.reveal(u, who.person_id, makers.officer(), "测试").id_no
    sent = {name: value for name, value in body().items() if name != "channel"}
    answer = clerk.post("/dept/v1/cases", {**sent, "id_no": number})
    assert answer.status_code == 201, answer.json
    steps = who.get(f"/mp/v1/cases/{answer.json['case_id']}").json["steps"]
    assert steps[0]["by"].startswith("测试部门")
    unknown = clerk.post("/dept/v1/cases", {**sent, "id_no": makers.id_number()})
    assert slug(unknown) == "applicant-unknown"
    elsewhere = visitor.officer(makers.POLICE, "window_clerk").post(
        "/dept/v1/cases", {**sent, "id_no": number}
    )
    assert slug(elsewhere) == "outside-your-scope"
    assert len(who.get("/mp/v1/cases").json["items"]) == 1


def test_cursors_and_paths_that_are_none_of_ours_are_refused(visitor: Visitors) -> None:
    who, officer = visitor.citizen(), visitor.officer()
    assert who.get(f"/mp/v1/cases?cursor={paging.cursor(5)}").status_code == 200
    assert officer.get(f"/dept/v1/cases?cursor={paging.cursor(5)}").status_code == 200
    assert officer.get(f"/dept/v1/cases?due=soon&cursor={paging.cursor('2026-01-01', 5)}").status_code == 200
    assert slug(who.get(f"/mp/v1/me/looks?cursor={paging.cursor('x')}")) == "malformed-request"
    assert [slug(who.get(f"/mp/v1/{path}/%00")) for path in ("cases", "items")] == ["not-found"] * 2


def test_a_systems_notice_is_heard_once_and_in_order(visitor: Visitors) -> None:
    system, officer, who = visitor.system(), visitor.officer(), visitor.citizen()
    case_id, key = file_one(who, item_id=makers.LICENCE), ids.token()
    early = system.post(f"/dept/v1/cases/{case_id}/decision", {"granted": True})
    assert (early.status_code, early.json["state"]) == (409, "submitted")
    first = system.post(f"/dept/v1/cases/{case_id}/acceptance", key=key)
    again = system.post(f"/dept/v1/cases/{case_id}/acceptance", key=key)
    assert first.json == again.json
    assert first.json["state"] == "accepted"
    assert officer.post(f"/dept/v1/cases/{case_id}/review").json["state"] == "reviewing"
    forged = system
    forged.secret = "0" * 64
    assert forged.post(f"/dept/v1/cases/{case_id}/decision", {"granted": True}).status_code == 401


def test_a_whole_life_over_http(visitor: Visitors) -> None:
    who, officer = visitor.citizen(), visitor.officer()
    case_id = file_one(who, item_id=makers.LICENCE)
    path = f"/dept/v1/cases/{case_id}"
    point = {"kind": "field", "name": "building_area", "problem": "与材料不一致", "advice": "请核对后填写"}
    assert officer.post(f"{path}/corrections", {"points": [point]}).json["state"] == "correcting"
    answer = who.post(f"/mp/v1/cases/{case_id}/correction", {"fields": {"building_area": "100.00"}})
    assert answer.json["state"] == "submitted"
    for step, sent, state in (
        ("acceptance", None, "accepted"),
        ("review", None, "reviewing"),
        ("pause", {"procedure": "专家评审", "days": 5, "reason": "需要评审"}, "special"),
        ("resumption", None, "reviewing"),
        ("extension", {"reason": "案情复杂"}, "reviewing"),
        ("decision", {"granted": True}, "granted"),
        ("result", {"numbers": ["皖测第1号"]}, "finished"),
        ("handover", None, "delivered"),
    ):
        answer = officer.post(f"{path}/{step}", sent)
        assert (answer.status_code, answer.json["state"]) == (200, state), answer.json
    assert who.get(f"/mp/v1/cases/{case_id}/result").json["numbers"] == ["皖测第1号"]
    assert len(who.get(f"/mp/v1/cases/{case_id}").json["steps"]) == 11


def test_progress_without_account_needs_number_tail_and_code(visitor: Visitors) -> None:
    sent: list[str] = []
    former = list(codes._sender)
    people.use_code_sender(lambda _u, _phone, code, _purpose: sent.append(code))
    try:
        _seek(visitor, sent)
    finally:
        codes._sender[:] = former


def test_id_tails_of_a_case_cannot_be_gone_through(visitor: Visitors) -> None:
    seeker = visitor.stranger()
    for number in (ids.case_number(), ids.case_number()):
        tries = [{"number": number, "id_tail": f"{tail:04}"} for tail in range(21)]
        codes_asked = [seeker.post("/mp/v1/progress/codes", one).status_code for one in tries]
        assert codes_asked == [202] * 20 + [429]
        assert slug(seeker.post("/mp/v1/progress", {**tries[0], "code": "000000"})) == "too-many-tries"


def _seek(visitor: Visitors, sent: list[str]) -> None:
    who, seeker = visitor.citizen(), visitor.stranger()
    case_id = file_one(who)
    with unit() as u:
        number = cases.case_number_of(u, case_id)
        tail = people.person_of(u, who.person_id).id_no_masked[-4:]
    asked = {"number": f"{number[:6].lower()}-{number[6:]}", "id_tail": tail}
    wrong = {**asked, "id_tail": "000X" if tail != "000X" else "0001"}
    good, bad = (seeker.post("/mp/v1/progress/codes", one) for one in (asked, wrong))
    assert (good.status_code, good.json) == (bad.status_code, bad.json)
    assert good.status_code == 202
    assert len(sent) == 1
    assert seeker.post("/mp/v1/progress/codes", asked).json == good.json
    assert slug(seeker.post("/mp/v1/progress", {**asked, "code": "000000"})) == "wrong-code"
    assert slug(seeker.post("/mp/v1/progress", {**wrong, "code": sent[0]})) == "wrong-code"
    seen = seeker.post("/mp/v1/progress", {**asked, "code": sent[0]})
    assert seen.status_code == 200, seen.json
    assert seen.json["state_label"] == "预审中"
    assert "测试甲" not in seen.text
    assert who.person_id not in seen.text
    assert slug(seeker.post("/mp/v1/progress", {**asked, "code": sent[0]})) == "wrong-code"
