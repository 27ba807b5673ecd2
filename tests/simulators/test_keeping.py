"""What outlives the process, and the door people use from the command line."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

import simulators
from simulators.books import Books
from tests.simulators.conftest import TEMPLATES, Outside
from tests.simulators.listener import listening
from tests.simulators.signers import sms

PHONE = "13900000001"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    path = tmp_path / "templates.json"
    path.write_text(json.dumps(TEMPLATES, ensure_ascii=False), "utf-8")
    return path


def test_credentials_are_issued_once(tmp_path: Path) -> None:
    first = simulators.issue_credentials(tmp_path / "s", "http://127.0.0.1:1/")
    again = simulators.issue_credentials(tmp_path / "s", "http://127.0.0.1:2")
    moved = {name for name in first if first[name] != again[name]}
    assert moved == {
        "WECHAT_BASE_URL",
        "WXPAY_BASE_URL",
        "ALIPAY_GATEWAY_URL",
        "KDNIAO_BASE_URL",
        "SMS_ALIYUN_BASE_URL",
        "IDENTITY_BASE_URL",
        "FISCAL_BASE_URL",
    }
    files = [path for path in (tmp_path / "s").rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_books_and_waiting_letters_survive_a_restart(tmp_path: Path, templates: Path) -> None:
    state = tmp_path / "state"
    with listening() as product:
        product.answer = lambda letter: (500, "")
        with simulators.opened(state, None, templates, product.base_url) as base_url:
            env = simulators.issue_credentials(state, base_url)
            requests.post(
                f"{base_url}/control/faults", json={"provider": "sms", "kind": "5xx", "verb": "query"}
            )
            assert sms(env, PHONE, "SMS_1001", {"code": "1234"})["Code"] == "OK"
            product.wait(1)
        product.forget()
        with simulators.opened(state, None, templates, product.base_url) as base_url:
            inbox = requests.get(f"{base_url}/control/sms/inbox?phone={PHONE}", timeout=5).json()
            weather = requests.get(f"{base_url}/control/faults", timeout=5).json()["faults"]
            product.wait(1, "/callbacks/notifications/sms_aliyun/")
    assert [message["text"] for message in inbox["messages"]] == [
        "【亳州掌办】您的验证码为1234，5分钟内有效。"
    ]
    assert [fault["kind"] for fault in weather] == ["5xx"]


def test_a_killed_process_forgets_nothing_it_told(tmp_path: Path, templates: Path) -> None:
    state, command = tmp_path / "state", [sys.executable, "-m", "simulators"]
    printed = subprocess.run(
        [*command, "credentials", "--state", str(state), "--base-url", "http://127.0.0.1:0"],
        check=True,
        capture_output=True,
    )
    env = json.loads(printed.stdout)
    port = free_port()
    serve = [*command, "--port", str(port), "--state", str(state), "--templates", str(templates)]
    base_url = f"http://127.0.0.1:{port}"
    for number in (1, 2):
        process = subprocess.Popen(serve)
        try:
            wait_for(base_url)
            env |= {"SMS_ALIYUN_BASE_URL": f"{base_url}/sms"}
            assert sms(env, f"1390000000{number}", "SMS_1001", {"code": "1234"})["Code"] == "OK"
        finally:
            process.send_signal(signal.SIGKILL if number == 1 else signal.SIGTERM)
            status = process.wait(10)
    assert status == 0
    books = Books(state / "books.sqlite3")
    with books.turn() as page:
        assert [message["phone"] for message in page.all("sms.message")] == ["13900000001", "13900000002"]
    books.close()


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with listening() as other:
        port = other.base_url.rpartition(":")[2]
        told = subprocess.run(
            [sys.executable, "-m", "simulators", "--port", port, "--state", str(tmp_path)],
            capture_output=True,
            check=False,
        )
    assert told.returncode == 1
    assert told.stderr.count(b"\n") == 1


def test_a_failed_turn_leaves_the_page_clean(tmp_path: Path) -> None:
    books = Books(tmp_path / "books.sqlite3")
    with pytest.raises(sqlite3.Error):
        write_badly(books)
    with books.turn() as page:
        assert page.get("a.shelf", "key") is None
    books.close()


def test_many_callers_are_served_at_once(outside: Outside) -> None:
    outside.ask("/control/preferences", {"sms_limits": {"code_per_minute": None, "code_per_hour": None}})
    outside.ask("/control/preferences", {"sms_limits": {"code_per_day": None}})
    said: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: said.append(sms(outside.env, PHONE, "SMS_1001", {"code": "1"})["Code"])
        )
        for _ in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == ["OK"] * 24
    assert len(outside.ask(f"/control/sms/inbox?phone={PHONE}")["messages"]) == 24


def test_a_kept_connection_answers_without_delay(outside: Outside) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{outside.base_url}/control/faults", timeout=5)
        started = time.monotonic()
        for _ in range(25):
            session.post(f"{outside.base_url}/control/wechat/login", json={}, timeout=5)
        assert time.monotonic() - started < 25 * 0.03


def test_the_control_desk_takes_only_json(outside: Outside) -> None:
    answer = requests.post(f"{outside.base_url}/control/faults", data="{}", timeout=5)
    assert answer.status_code == 415


def test_an_unknown_preference_is_refused(outside: Outside) -> None:
    outside.ask("/control/preferences", {"weather": 1}, 400)
    outside.ask("/control/preferences", {"sms_limits": {"per_century": 1}}, 400)


def write_badly(books: Books) -> None:
    with books.turn() as page:
        page.put("a.shelf", "key", {"x": 1})
        raise sqlite3.IntegrityError


def free_port() -> int:
    with listening() as nobody:
        return int(nobody.base_url.rpartition(":")[2])


def wait_for(base_url: str) -> None:
    for _ in range(200):
        try:
            requests.get(base_url + "/control/faults", timeout=1)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nobody answers at {base_url}, from {os.getpid()}")
