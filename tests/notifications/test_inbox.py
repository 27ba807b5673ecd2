"""What a person reads in the app, and the question whether a message is genuine."""

from typing import Any

from backend.kernel import ids
from tests.notifications.makers import Resident, accept_case, ask_for_correction, message, resident, send


def test_every_message_lies_in_the_inbox(person: Resident) -> None:
    about = ask_for_correction(person)
    (line,) = person.inbox()
    assert line["title"] == "需要补正"
    assert line["matter"] == about
    assert line["link"] == f"pages/cases/show?id={about}"
    assert "2026年11月20日前" in line["text"]
    assert line["read_at"] is None


def test_the_newest_come_first_page_by_page(person: Resident) -> None:
    told = [accept_case(person) for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = person.ask("GET", "/messages", **query).json()
        seen += [line["matter"] for line in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == told[::-1]


def test_reading_twice_keeps_the_first_time(person: Resident) -> None:
    accept_case(person)
    (line,) = person.inbox()
    first = person.ask("POST", f"/messages/{line['id']}/read").json()["read_at"]
    assert person.ask("POST", f"/messages/{line['id']}/read").json()["read_at"] == first
    assert person.ask("GET", "/messages", unread="true").json()["items"] == []


def test_somebody_elses_message_looks_absent(person: Resident, town: Any) -> None:
    accept_case(person)
    (line,) = person.inbox()
    other = resident(town)
    foreign = other.ask("POST", f"/messages/{line['id']}/read")
    absent = other.ask("POST", f"/messages/{ids.new_id('ms')}/read")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json()["type"] == absent.json()["type"]
    assert other.inbox() == []


def test_a_false_cursor_is_refused(person: Resident) -> None:
    assert person.ask("GET", "/messages", cursor="xyz!").status_code == 400


def test_a_genuine_text_is_recognised(person: Resident) -> None:
    ask_for_correction(person)
    send()
    (text,) = person.texts()
    verdict = person.ask("POST", "/messages/verify", {"text": text}).json()
    assert verdict["genuine"]
    assert verdict["text"] == text


def test_the_proof_alone_is_enough(person: Resident) -> None:
    proof = message(ask_for_correction(person), "inbox").proof
    assert proof
    assert person.ask("POST", "/messages/verify", {"text": f" {proof.lower()} "}).json()["genuine"]


def test_a_strangers_text_is_not_ours(person: Resident, town: Any) -> None:
    ask_for_correction(person)
    send()
    (text,) = person.texts()
    other = resident(town)
    for claim in (text, "您有一笔补贴待领取，请点击链接领取。防伪码ABC234"):
        verdict = other.ask("POST", "/messages/verify", {"text": claim}).json()
        assert not verdict["genuine"]
        assert verdict["text"] is None
