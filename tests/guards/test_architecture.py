"""Guards of the house rules: each of them names the file that trespasses."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.kernel.problems import Problem

ROOT = Path(__file__).parents[2]
PRODUCT = ("backend", "payments", "courier", "notifications", "miniprogram_api")


def _sources(*folders: str) -> Iterator[tuple[str, str]]:
    for folder in folders or PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def _calls(source: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_the_floors_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "importlinter.cli", "lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "No module named importlinter.cli.__main__" in done.stderr:
        pytest.fail(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr


def test_time_comes_only_from_the_clock() -> None:
    forbidden = re.compile(
        r"^(datetime\.(datetime\.)?(now|utcnow|today)|(dt\.)?date\.today|dt\.datetime\.(now|utcnow)"
        r"|time\.(time|monotonic|sleep|time_ns)|func\.(now|current_timestamp))$"
    )
    trespassers = [
        f"{name}:{line} {call}"
        for name, source in _sources()
        if name != "backend/kernel/clock.py"
        for line, call in _calls(source)
        if forbidden.match(call)
    ]
    sql = re.compile(r"\bnow\(\)|date_trunc\('day'|CURRENT_(DATE|TIMESTAMP)")
    trespassers += [
        name for name, source in _sources() if name != "backend/kernel/clock.py" and _in_sql(source, sql)
    ]
    assert not trespassers


def _in_sql(source: str, pattern: re.Pattern[str]) -> bool:
    """Whether a string constant that looks like SQL uses the database's own clock."""
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.search(r"\b(SELECT|UPDATE|INSERT|DELETE)\b", node.value)
        and pattern.search(node.value)
        for node in ast.walk(ast.parse(source))
    )


def test_nobody_commits_outside_the_unit() -> None:
    allowed = {
        "backend/store/unit.py",
        "backend/store/transaction.py",
        "backend/store/vault.py",
        "backend/runtime/boot.py",
    }
    trespassers = [
        f"{name}:{line}"
        for name, source in _sources()
        if name not in allowed
        for line, call in _calls(source)
        if call.endswith(".commit")
    ]
    assert not trespassers


def test_provider_words_stay_in_the_telephone_rooms() -> None:
    words = re.compile(
        r"out_trade_no|TRADE_SUCCESS|StateEx|prepay_id|LogisticCode|TemplateCode|errcode|trade_status"
    )
    rooms = re.compile(r"^(payments/channels|courier/carriers|notifications/channels|backend/people/logins)/")
    shared = {"backend/runtime/alipay_client.py", "backend/runtime/wechat_client.py"}
    trespassers = [
        f"{name}: {found[0]}"
        for name, source in _sources()
        if not rooms.match(name) and name not in shared and (found := words.search(source))
    ]
    assert not trespassers


def test_no_room_has_a_vague_name() -> None:
    vague = {"utils", "helpers", "common", "misc", "manager", "util", "helper"}
    assert not [name for name, _ in _sources() if vague & set(re.split(r"[/.]", name))]


def test_no_import_hides_inside_a_function() -> None:
    trespassers = [
        f"{name}:{inner.lineno}"
        for name, source in _sources()
        if "/versions/" not in name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert not trespassers


def test_every_module_says_why_it_exists() -> None:
    assert not [
        name
        for name, source in _sources()
        if "/versions/" not in name and source.strip() and not ast.get_docstring(ast.parse(source))
    ]


def test_no_file_or_function_outgrows_its_room() -> None:
    too_long = [
        f"{name}: {source.count(chr(10))} lines"
        for name, source in _sources()
        if source.count("\n") > 300 and "/versions/" not in name
    ]
    too_long += [
        f"{name}:{node.lineno} {node.name}"
        for name, source in _sources()
        if "/versions/" not in name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno > 45
    ]
    assert not too_long


def _kinds(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def test_what_a_problem_tells_is_declared_with_it() -> None:
    import wsgi  # noqa: F401

    known = {kind.__name__: kind for kind in _kinds()}
    undeclared = [
        f"{path}:{node.lineno} {kind.__name__}({word.arg}=...)"
        for path, source in _sources()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and (kind := known.get(ast.unparse(node.func).rpartition(".")[2]))
        for word in node.keywords
        if word.arg and word.arg not in {*kind.extras, *inspect.signature(kind).parameters, "retry_after"}
    ]
    assert undeclared == []


def test_every_answer_of_the_town_is_described() -> None:
    import wsgi

    silent = {
        f"{route.method} {surface.prefix}{route.path}"
        for surface in wsgi.SURFACES
        for route in surface.routes
        if route.answers is None and not route.media and route.status != 204
    }
    assert silent == set()
