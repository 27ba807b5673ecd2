from datetime import date, timedelta

import pytest

from backend.contracts import Notice
from backend.kernel import clock, ids
from backend.runtime import housekeeping
from backend.store import partitions
from backend.store.unit import run_unit
from tests.store.doors import ask, tell

pytestmark = pytest.mark.usefixtures("ground")


def make(today: date) -> int:
    return run_unit(lambda u: partitions.make_ahead(u.session.connection(), today))


def drop(today: date) -> int:
    return run_unit(lambda u: partitions.drop_old(u.session.connection(), today))


def home_of(notice: Notice) -> str:
    return str(ask("SELECT tableoid::regclass::text FROM store_notice WHERE key = :k", k=notice.key))


def hear() -> Notice:
    notice = Notice("bank", ids.new_id("kk"), "s", "t", None)
    assert run_unit(lambda u: u.first_time(notice))
    return notice


def exists(name: str) -> bool:
    return bool(ask("SELECT to_regclass(:n) IS NOT NULL", n=name))


def test_this_month_and_three_more_have_a_partition() -> None:
    today = clock.today()
    for table in partitions.PARTITIONED:
        for ahead in range(partitions.MONTHS_AHEAD + 1):
            assert exists(f"{table}_{partitions._month(today, ahead):%Y%m}")
    assert make(today) == 0
    assert home_of(hear()) == f"store_notice_{today:%Y%m}"


def test_a_new_month_brings_one_more_partition() -> None:
    first_of_next = partitions._month(clock.today(), 1)
    assert make(first_of_next) == len(partitions.PARTITIONED)


def test_december_is_followed_by_january() -> None:
    make(date(2031, 12, 24))
    assert exists("store_outbox_203112")
    assert exists("store_outbox_203203")
    assert not exists("store_outbox_203204")


def test_a_clock_moved_far_ahead_loses_nothing() -> None:
    clock.advance(timedelta(days=3 * 365))
    notice = hear()
    assert home_of(notice) == "store_notice_rest"
    made = make(clock.today())
    assert exists(f"store_notice_{partitions._month(clock.today(), 1):%Y%m}")
    assert not exists(f"store_notice_{clock.today():%Y%m}"), "its rows lie in the rest already"
    assert made == 3 * 4 - 1
    assert not run_unit(lambda u: u.first_time(notice)), "still known"
    assert home_of(hear()) == "store_notice_rest"


def test_the_chore_makes_partitions_ahead_of_the_clock() -> None:
    clock.advance(timedelta(days=200))
    assert housekeeping.make_partitions() > 0
    assert housekeeping.make_partitions() == 0
    assert home_of(hear()) == f"store_notice_{clock.today():%Y%m}"


def test_a_month_that_outlived_its_time_is_dropped() -> None:
    make(date(2020, 1, 15))
    tell(
        "INSERT INTO store_outbox (recorded_at, stream, kind, payload, ears)"
        " VALUES ('2020-01-31 23:00+00', 'cs-1', 'CaseWithdrawn', '{}', '{}')"
    )
    assert drop(date(2021, 2, 28)) == 0
    assert drop(date(2021, 3, 1)) == 2  # January of outbox and notices; looks at people are kept three years
    assert not exists("store_outbox_202001")
    assert exists("store_outbox_202002")
    assert exists("people_access_log_202001")
    assert drop(date(2023, 2, 1)) == 2 * 3 + 1
    assert ask("SELECT count(*) FROM store_outbox WHERE recorded_at < '2021-01-01'") == 0


def test_a_demo_that_looks_ahead_keeps_its_past() -> None:
    notice = hear()
    housekeeping.drop_partitions()
    clock.advance(timedelta(days=3 * 365))
    assert housekeeping.drop_partitions() == 0
    assert home_of(notice)
