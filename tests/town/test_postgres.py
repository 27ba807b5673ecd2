"""The embedded PostgreSQL, as root and as an ordinary user, in folders that make trouble."""

import contextlib
import ctypes
import os
import pwd
import signal
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from town import binaries, places, postgres, processes
from town.trouble import Trouble

NAMELESS = 45_678  # a uid without an entry in the passwd file, as in many containers
PR_SET_DUMPABLE = 4


def asked(server: postgres.Server, question: str) -> str:
    with psycopg.connect(server.url, connect_timeout=10) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return str(row[0])


def as_ordinary_user(work: Callable[[], None], uid: int) -> None:
    """Do the work in a forked process without any right; an ordinary user does it here and as himself."""
    if not places.is_root():
        work()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork beside threads: the child keeps to itself
        child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # /proc/self is ours again, as after an exec
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@contextlib.contextmanager
def state_below(parent: Path) -> Iterator[Path]:
    """A state folder with a space and Chinese in its path, below a folder that is closed to others."""
    private = parent / "私有 0700"
    private.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOWN_STATE_DIR", str(private / "掌办 town"))
        yield private
        for home in places.database_homes():
            postgres.remove(home)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A closed database that every test leaves as it found it."""
    with state_below(tmp_path_factory.mktemp("town")):
        open_and_ask()
        yield places.database_home()


@contextlib.contextmanager
def mislaid(path: Path, instead: str | None = None) -> Iterator[None]:
    """Take a file away for a while, or put another text in its place."""
    kept = path.with_name(f"{path.name}.kept")
    path.rename(kept)
    if instead is not None:
        path.write_text(instead, encoding="ascii")
    yield
    kept.replace(path)


def open_and_ask() -> None:
    server = postgres.start(places.database_home())
    try:
        assert asked(server, "SHOW server_encoding") == "UTF8"
        assert asked(server, "SHOW fsync") == "on"
        assert asked(server, "SELECT '掌办'") == "掌办"
    finally:
        server.stop()


def lend_and_ask() -> None:
    with postgres.temporary() as server:
        assert asked(server, "SELECT current_database()") == "zhangban"
    assert not server.home.exists()


def test_a_lent_server_leaves_no_trace() -> None:
    with postgres.temporary() as server:
        assert asked(server, "SHOW fsync") == "off"
        assert asked(server, "SHOW unix_socket_directories") == ""
    assert server.process.poll() is not None
    assert not server.home.exists()


def test_a_failure_inside_leaves_no_trace_either() -> None:
    with pytest.raises(ZeroDivisionError), postgres.temporary() as server:
        raise ZeroDivisionError
    assert not server.home.exists()


def test_benchmarks_get_the_default_durability() -> None:
    with postgres.temporary(durable=True, settings={"work_mem": "8MB"}) as server:
        assert asked(server, "SHOW fsync") + asked(server, "SHOW synchronous_commit") == "onon"
        assert asked(server, "SHOW work_mem") == "8MB"
        assert server.create_database("second").endswith("/second")


def test_nobody_enters_without_the_password() -> None:
    with postgres.temporary() as server:
        wrong = server.url.replace(server.password, "guessed")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_a_private_parent_and_chinese_are_no_hindrance(home: Path) -> None:
    assert (home / "data").exists()
    open_and_ask()  # the second time, with the data of the first


@contextlib.contextmanager
def lent_to(uid: int, parent: Path) -> Iterator[None]:
    """A state folder of another user, and binaries that this user can reach."""
    with state_below(parent) as private, pytest.MonkeyPatch.context() as patch:
        if places.is_root():
            os.chown(private, uid, uid)
            patch.setenv("TOWN_POSTGRES", str(binaries.find().folder))
            for above in (parent, *parent.parents[:2]):
                above.chmod(above.stat().st_mode | 0o011)
        yield


def open_or_be_told() -> None:
    try:
        open_and_ask()
    except Trouble as trouble:  # a container may forbid the namespace that lends a name
        if "has no name here and initdb wants one: `useradd` it" not in str(trouble):
            raise


def test_an_ordinary_user_can_open(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with lent_to(nobody, tmp_path):
        as_ordinary_user(open_and_ask, nobody)


def test_a_user_without_a_name_opens_or_is_told(tmp_path: Path) -> None:
    with lent_to(NAMELESS, tmp_path):
        as_ordinary_user(open_or_be_told, NAMELESS)


def test_the_wheel_serves_where_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOWN_POSTGRES", "wheel")
    lend_and_ask()


def test_data_outlives_a_killed_server(home: Path) -> None:
    server = postgres.start(home)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    again = postgres.start(home, port=server.port)
    try:
        assert asked(again, "SELECT count(*) FROM kept") == "0"
    finally:
        again.stop()


def test_a_pid_inherited_by_a_stranger_is_no_server(home: Path) -> None:
    (home / "data" / "postmaster.pid").write_text(f"{os.getppid()}\n", encoding="ascii")
    open_and_ask()


def test_a_foreign_data_directory_is_told_plainly(home: Path) -> None:
    with (
        mislaid(home / "data" / "PG_VERSION"),
        pytest.raises(Trouble, match=r"is not a database of this town: .*`make clean`"),
    ):
        postgres.start(home)


def test_a_broken_database_names_log_and_way_out(home: Path) -> None:
    with (
        mislaid(home / "data" / "global" / "pg_control"),
        pytest.raises(Trouble, match=r"does not start \(.*pg_control.*postgres\.log\): .*`make clean`"),
    ):
        postgres.start(home)


def test_data_of_a_missing_version_names_its_package(home: Path) -> None:
    with (
        mislaid(home / "data" / "PG_VERSION", instead="12\n"),
        pytest.raises(Trouble, match="install postgresql-12"),
    ):
        postgres.start(home)


def test_remnants_of_a_killed_borrower_are_swept(tmp_path: Path) -> None:
    with postgres.temporary() as server:
        left = server.home.with_name("zhangban-postgres-left")
        left.mkdir()
        (left / "owner").write_text(f"{os.getpid()} {processes.started_at(os.getpid())}1", encoding="ascii")
        with postgres.temporary():
            assert not left.exists()
        assert server.home.exists()
