"""The town's entry, its ports and settings, and what is said when something is in the way."""

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from town import binaries, book, bootstrap, environment, packages, places, processes
from town.trouble import Trouble


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOWN_STATE_DIR", str(tmp_path / "town"))
    return places.state_dir()


def run(module: str, folder: Path = places.CHECKOUT, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_entry_is_read_only_while_open(state_dir: Path) -> None:
    with book.kept(state_dir) as entry:
        entry.write(state="open", addresses={"town": "http://127.0.0.1:8000"}, children={"web": 1})
        assert (book.read(state_dir) or {})["children"] == {"web": 1}
        assert stat.S_IMODE((state_dir / book.FILE).stat().st_mode) == 0o600
    assert book.read(state_dir) is None


def test_a_second_opening_names_the_address(state_dir: Path) -> None:
    with book.kept(state_dir) as entry:
        entry.write(state="open", addresses={"town": "http://127.0.0.1:8000"})
        with pytest.raises(Trouble, match=r"already open at http://127\.0\.0\.1:8000"), book.kept(state_dir):
            pass


@pytest.mark.parametrize("pid", ["its number is free", "its number is another's"])
def test_an_entry_left_by_kill_9_means_closed(state_dir: Path, pid: str) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    number = ended.pid if pid == "its number is free" else os.getpid()
    supervisor = {"pid": number, "tick": "12345"}
    left = {"boot_id": processes.boot_id(), "supervisor": supervisor, "state": "open",
            "children_ticks": {"web": supervisor}}  # fmt: skip
    (state_dir / book.FILE).write_text(json.dumps(left), encoding="utf-8")
    assert book.read(state_dir) is None
    with book.kept(state_dir):
        pass
    assert not (state_dir / book.FILE).exists()


def test_a_taken_port_names_the_way_out(state_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wanted = environment.plan({"WEB_PORT": str(port), "SIM_PORT": "1"})
        with pytest.raises(
            Trouble, match=rf"port {port} .*web server.* in use\): .*`WEB_PORT=9\d\d\d make run`"
        ):
            environment.check_ports(wanted)


@pytest.mark.parametrize("given", [{"WEB_PORT": "0"}, {"SIM_PORT": "70000"}, {"TOWN_MODE": "play"}])
def test_a_wish_that_cannot_be_is_refused(state_dir: Path, given: dict[str, str]) -> None:
    with pytest.raises(Trouble, match=f"{next(iter(given))} is .* must be"):
        environment.plan(given)


def test_what_the_user_set_stays_set(state_dir: Path) -> None:
    given = {"DATABASE_URL": "postgresql://db.example/town", "KDNIAO_BASE_URL": "https://api.example"}
    wanted = environment.plan(given)
    settings = environment.settings(
        wanted, "unused", {"KDNIAO_BASE_URL": "http://sim", "SMS_REPORT_TOKEN": "x"}
    )
    assert given.items() <= settings.items()
    assert settings["SMS_REPORT_TOKEN"] == "x"
    assert wanted.simulates
    assert not wanted.embeds_database


def test_production_is_given_nothing_for_play(state_dir: Path) -> None:
    wanted = environment.plan({"TOWN_MODE": "production", "DATABASE_URL": "postgresql://db.example/town"})
    assert not wanted.simulates
    assert "TOWN_CLOCK_FILE" not in environment.settings(wanted, "", {})


def test_production_lists_all_that_is_missing(state_dir: Path) -> None:
    names = ("DATABASE_URL", "BROKER_URL", "TOWN_KEYS_FILE", "WXPAY_MCHID", "IDENTITY_SECRET")
    answer = run(
        "town.papers", **dict.fromkeys(names, ""), TOWN_MODE="production", TOWN_CLOCK_FILE="clock.json"
    )
    assert answer.returncode == 1
    assert all(f"{name} is missing" in answer.stderr for name in names)
    assert "TOWN_CLOCK_FILE" in answer.stderr


def test_the_demo_tells_within_a_second_that_it_is_closed(state_dir: Path) -> None:
    begun = time.monotonic()
    answer = run("town.demo")
    assert time.monotonic() - begun < 1
    assert answer.returncode == 1
    assert re.fullmatch(r"zhangban: the town .*`make run` opens it.*\n", answer.stderr)


def test_make_works_from_any_folder(tmp_path: Path) -> None:
    checkout = tmp_path / "私有 目录" / "掌办 town"
    shutil.copytree(places.CHECKOUT / "town", checkout / "town", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(places.CHECKOUT / "Makefile", checkout)
    for words in (["-C", str(checkout)], ["-f", str(checkout / "Makefile")]):
        command = ["make", *words, "demo", f"PYTHON={sys.executable}"]
        answer = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        assert answer.returncode == 2
        assert answer.stderr.startswith("zhangban: the town was never opened here")


def test_an_old_python_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    with pytest.raises(Trouble, match=r"this is Python 3\.10\.4: install Python 3\.11 or newer"):
        bootstrap.inside("town.run")


def test_a_missing_program_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "is_root", lambda: False)
    with pytest.raises(Trouble, match=r"make bench needs the package wrk: run `.* install wrk`"):
        packages.need("wrk", lambda: False, "make bench")


def test_a_machine_without_postgresql_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOWN_POSTGRES", str(tmp_path))
    with pytest.raises(Trouble, match="no PostgreSQL server of version 14 or newer: install"):
        binaries.find()


def pins(name: str) -> set[str]:
    text = (places.CHECKOUT / name).read_text("utf-8")
    assert not re.search(r"^\s*-|://| /", re.sub(r"# *(via|-[cr]) .*|#   -c .*", "", text), re.MULTILINE), (
        "an address or a folder of one machine is pinned"
    )
    return set(re.findall(r"^[\w.-]+==\S+", text, re.MULTILINE))


def test_the_pins_agree_and_name_no_machine() -> None:
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime < development
    assert len({pin.split("==")[0] for pin in development}) == len(development)
