"""The hall over HTTP: the machine at the door, the clerk, the phone, the screen."""

import base64
import contextlib
import hashlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from backend.kernel import clock, ids
from tests.booking.halls import Hall, make_hall, nine, open_the_day
from tests.booking.makers import a_person, book, id_tail_of
from tests.cases.visitors import Answer, Visitor, Visitors
from town import postgres

DEPARTMENT, STRANGE = "BZ-GT", "BZ-GA"
CHECKED = {"identity_checked": True}


@pytest.fixture
def visitors(_offices: None) -> Visitors:
    import wsgi

    open_the_day()
    return Visitors(wsgi.app.test_client())


@pytest.fixture
def clerk(visitors: Visitors) -> Visitor:
    return visitors.officer(DEPARTMENT)


@pytest.fixture
def hall() -> Hall:
    return make_hall(True, False, other=1)


@pytest.fixture
def stream(town: Any) -> Iterator[str]:
    """The address of a process that streams the screens of the open town."""
    port = postgres.free_port()
    command = [sys.executable, "-m", "town.screen", f"--port={port}", f"--town={town.base_url}"]
    process, address = subprocess.Popen(command, cwd=Path(__file__).parents[2]), f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(requests.ConnectionError):
                requests.get(f"{address}/health/live", timeout=5).raise_for_status()
                break
            clock.sleep(0.05)
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()


def slug(answer: Answer) -> str:
    return str(answer.json["type"]).rpartition(":")[2]


def take(clerk: Visitor, hall: Hall, letter: str = "A") -> Any:
    answer = clerk.post(f"/dept/v1/sites/{hall.site}/tickets", {"group_id": hall.groups[letter]})
    assert answer.status_code == 201, answer.text
    return answer.json


def call(clerk: Visitor, hall: Hall, window: int = 1) -> Answer:
    return clerk.post(f"/dept/v1/windows/{hall.windows[window]}/calls")


def test_a_visit_from_the_machine_to_the_end(visitors: Visitors, clerk: Visitor, hall: Hall) -> None:
    slot, person = hall.slot(15), a_person()
    clock.move_to(nine().replace(hour=0))
    booked = book(slot.id, person)
    citizen = visitors.citizen(person)
    queue = f"/mp/v1/bookings/{booked.id}/queue"
    assert slug(citizen.get(queue)) == "not-in-queue"
    clock.move_to(nine())
    scanned = {"scanned": f"ZB:{booked.number}:{booked.check_in_code}"}
    seen = clerk.post(f"/dept/v1/sites/{hall.site}/check-ins", scanned)
    assert seen.status_code == 200, seen.text
    ticket = seen.json["ticket"]
    assert (seen.json["state"], ticket["label"]) == ("checked_in", "A001")
    assert citizen.get(queue).json | {"ticket_id": ""} == {
        "ticket_id": "", "label": "A001", "state": "waiting", "state_label": "排队中", "group": "A区",
        "window": None, "ahead": 0, "minutes": 0, "site": "测试大厅", "starts_at": seen.json["starts_at"],
        "expected_at": nine().isoformat(), "pace_minutes": 30, "pace_from": "plan",
        "open_windows": [1, 2], "first_windows": [1],
        "why": "您的预约时间是 09:15，预约优先窗口（1号）现在先叫您这样的预约号。前面没有人。"
        "现在开放 2 个窗口（1、2号），按计划每人约 30 分钟估算。",
    }  # fmt: skip
    assert call(clerk, hall).json["id"] == ticket["id"]
    assert citizen.get(queue).json["window"] == 1
    assert clerk.post(f"/dept/v1/tickets/{ticket['id']}/recall").json["calls"] == 2
    assert clerk.post(f"/dept/v1/tickets/{ticket['id']}/finish", CHECKED).json["state"] == "finished"
    assert citizen.get(f"/mp/v1/bookings/{booked.id}").json["state"] == "served"


def test_number_and_id_card_check_in_as_well(visitors: Visitors, hall: Hall) -> None:
    slot, person = hall.slot(15), a_person()
    clock.move_to(nine().replace(hour=0))
    booked = book(slot.id, person)
    clock.move_to(nine())
    machine, tail = visitors.system(DEPARTMENT), id_tail_of(person)
    path, wrong = f"/dept/v1/sites/{hall.site}/check-ins", "1234" if tail != "1234" else "4321"
    assert slug(machine.post(path, {"number": booked.number, "id_tail": wrong})) == "wrong-check-in-code"
    assert machine.post(path, {"number": booked.number, "id_tail": tail}).json["ticket"]["label"] == "A001"
    assert slug(machine.post(path, {"number": booked.number, "id_tail": tail})) == "already-checked-in"
    assert slug(machine.post(path, {"number": "Y0000000000Z", "id_tail": tail})) == "not-found"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"scanned": "ZB:Y123"},
        {"number": "Y0000000000Z"},
        {"scanned": "ZB:Y0000000000Z:123456", "id_tail": "1234"},
    ],
)
def test_a_check_in_that_says_too_little_is_refused(
    clerk: Visitor, hall: Hall, given: dict[str, str]
) -> None:
    assert slug(clerk.post(f"/dept/v1/sites/{hall.site}/check-ins", given)) == "invalid-input"


def test_every_refusal_at_the_window_has_its_name(clerk: Visitor, hall: Hall) -> None:
    assert slug(call(clerk, hall)) == "nobody-waiting"
    ticket = take(clerk, hall)
    path = f"/dept/v1/tickets/{ticket['id']}"
    assert slug(clerk.post(f"{path}/finish", CHECKED)) == "impossible-move"
    assert call(clerk, hall).status_code == 200
    assert slug(call(clerk, hall)) == "window-busy"
    assert slug(clerk.post(f"{path}/absence")) == "called-too-little"
    assert slug(clerk.post(f"{path}/transfer", {"group_id": hall.groups["A"]})) == "same-group"
    for _ in range(5):
        clerk.post(f"{path}/recall")
    assert slug(clerk.post(f"{path}/recall")) == "called-enough"
    assert clerk.post(f"{path}/absence").json["state"] == "absent"
    assert slug(clerk.post(f"/dept/v1/sites/{hall.site}/tickets", {"item_id": "SI018"})) == "no-queue-here"
    assert slug(clerk.post(f"/dept/v1/sites/{hall.site}/tickets", {})) == "invalid-input"


def test_passing_and_transferring_send_back_to_a_queue(clerk: Visitor, hall: Hall) -> None:
    ticket = take(clerk, hall)
    path = f"/dept/v1/tickets/{ticket['id']}"
    call(clerk, hall)
    assert clerk.post(f"{path}/pass").json["state"] == "waiting"
    assert call(clerk, hall).json["calls"] == 2
    moved = clerk.post(f"{path}/transfer", {"group_id": hall.groups["B"]}).json
    assert (moved["label"], moved["state"], moved["group_id"]) == ("A001", "waiting", hall.groups["B"])
    queues = clerk.get(f"/dept/v1/sites/{hall.site}/queues").json
    assert [[one["label"] for one in group["waiting"]] for group in queues] == [[], ["A001"]]


def test_another_departments_hall_looks_absent(visitors: Visitors, clerk: Visitor, hall: Hall) -> None:
    ticket, strange = take(clerk, hall), visitors.officer(STRANGE)
    answers = [
        call(strange, hall),
        strange.get(f"/dept/v1/sites/{hall.site}/queues"),
        strange.post(f"/dept/v1/sites/{hall.site}/tickets", {"group_id": hall.groups["A"]}),
        strange.post(f"/dept/v1/sites/{hall.site}/check-ins", {"number": "Y0000000000Z", "id_tail": "1234"}),
        strange.post(f"/dept/v1/tickets/{ticket['id']}/transfer", {"group_id": hall.groups["B"]}),
        *(strange.post(f"/dept/v1/tickets/{ticket['id']}/{verb}") for verb in ("recall", "pass", "absence")),
        *(strange.post(f"/dept/v1/tickets/{ticket['id']}/{verb}", {}) for verb in ("finish", "leaving")),
        strange.post(f"/dept/v1/windows/{hall.windows[1]}/opening"),
        strange.post(f"/dept/v1/windows/{hall.windows[1]}/shutting", {}),
    ]
    assert {slug(answer) for answer in answers} == {"not-found"}


def test_a_call_repeated_by_a_weak_network_calls_once(clerk: Visitor, hall: Hall) -> None:
    take(clerk, hall), take(clerk, hall)
    path, key = f"/dept/v1/windows/{hall.windows[1]}/calls", ids.token()
    first, again = clerk.post(path, key=key), clerk.post(path, key=key)
    assert first.json == again.json
    assert first.json["label"] == "A001"


def test_the_slip_of_a_walk_in_tells_the_place(visitors: Visitors, clerk: Visitor, hall: Hall) -> None:
    take(clerk, hall)
    slip, stranger = take(clerk, hall), visitors.stranger()
    seen = stranger.get(f"/mp/v1/tickets/{slip['id']}")
    assert (seen.json["label"], seen.json["ahead"]) == ("A002", 1)
    assert slug(stranger.get(f"/mp/v1/tickets/{ids.new_id('tk')}")) == "not-found"


def test_the_screen_is_public_and_tells_when_nothing_changed(
    visitors: Visitors, clerk: Visitor, hall: Hall
) -> None:
    take(clerk, hall)
    screen, path = visitors.stranger(), f"/screen/v1/sites/{hall.site}/calls"
    before = screen.get(path)
    assert before.json["groups"][0] == {"name": "A区", "letter": "A", "waiting": 1, "passed": []}
    seen = {"If-None-Match": before.headers["ETag"]}
    assert screen.get(path, **seen).status_code == 304
    call(clerk, hall)
    assert screen.get(path, **seen).json["calls"][0]["label"] == "A001"
    assert slug(screen.get("/screen/v1/sites/si-nowhere/calls")) == "not-found"


def test_the_page_runs_only_its_own_script(visitors: Visitors, clerk: Visitor, hall: Hall) -> None:
    take(clerk, hall)
    call(clerk, hall)
    answer = visitors.stranger().get(f"/screen/{hall.site}")
    script = re.search(r"<script>(.*)</script>", answer.text, re.S)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert f'data-calls="/screen/v1/sites/{hall.site}/calls"' in answer.text
    assert "A001" in answer.text
    assert not re.search(r"(src|href)=", answer.text), "the page asks nobody else for anything"
    assert visitors.stranger().get("/screen/si-nowhere").status_code == 404


def test_the_stream_tells_each_call_as_it_happens(stream: str, clerk: Visitor, hall: Hall) -> None:
    path = f"/screen/v1/sites/{hall.site}"
    with requests.get(f"{stream}{path}/stream", stream=True, timeout=10) as heard:
        lines = heard.iter_lines(chunk_size=1, decode_unicode=True)
        assert _next(lines)["calls"] == []
        take(clerk, hall)
        call(clerk, hall)
        news = _next(lines)
        while not news["calls"]:  # the number may have been taken and called in two looks
            news = _next(lines)
        assert (news["calls"][0]["label"], news["calls"][0]["window"]) == ("A001", 1)
        assert news == clerk.get(f"{path}/calls").json, "the same document as the polled one"
    assert requests.get(f"{stream}/screen/v1/sites/si-nowhere/stream", timeout=10).status_code == 404


def _next(lines: Iterator[str]) -> Any:
    return json.loads(next(line for line in lines if line.startswith("data: "))[6:])
