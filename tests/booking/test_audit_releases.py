"""What an audit found: winners robbed by new rules, places that rot, blank values, days beyond reach, spoilt sheets."""

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, get_args

import pydantic
import pytest

from backend import booking
from backend.booking import plans
from backend.booking.models import PlaceRow
from backend.booking.plan.sheets import COLUMNS
from backend.booking.plan.workbook import read_book
from backend.booking.services import drawing, tending
from backend.kernel import clock
from backend.kernel.problems import InvalidInput
from backend.runtime.bodies import WITHIN_REACH, Body, Day, Query
from backend.store.unit import run_unit, unit
from tests.booking.makers import EXAM, EXAM_SITE, ITEM, a_person, book, born_on, confirm, hold, set_rules
from tests.booking.releases import (
    COLLEAGUE,
    PLANNER,
    a_day,
    announce,
    close,
    draw,
    enter,
    entry_of,
    open_queue,
    release_of,
    reveal,
    slots_on,
    until_the_value,
)  # fmt: skip
from tests.cases.visitors import Visitor, Visitors

FAR = ("0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31")


def put_rules(item: str = EXAM, **rules: Any) -> None:
    run_unit(lambda u: plans.put_rules(u, EXAM_SITE, item, rules, PLANNER))


# --- the rules stand while a draw is under way ----------------------------------------------------------------------


def test_no_rules_change_while_a_draw_is_decided() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    put_rules(per_day=2)
    close(release_id)
    for item in (EXAM, ""):
        with pytest.raises(plans.DrawUnderWay) as refused:
            put_rules(item, per_day=3)
        assert refused.value.extra["release_id"] == release_id
    draw(release_id)
    put_rules()


def test_a_queue_forbids_no_change_of_rules() -> None:
    slots_on(day := a_day(), 1)
    close(announce(day, "queue"))
    put_rules()


def test_a_winner_keeps_the_quota_that_was_drawn() -> None:
    set_rules(EXAM_SITE, EXAM, elder_percent=100)
    try:
        slot = slots_on(day := a_day(), 1, kinds={"elder": 1})[0]
        release_id = announce(day)
        old = enter(release_id, a_person(id_no=born_on(date(1950, 5, 6))))
        reveal(release_id)
        set_rules(EXAM_SITE, EXAM)
        drawing.finish_draws()
        won = entry_of(release_id, old)
        with unit() as u:
            place = u.session.query(PlaceRow).filter_by(slot_id=slot.id).one()
        assert (won.state, place.booking_id) == ("won", won.booking_id)
    finally:
        set_rules(EXAM_SITE, EXAM)


# --- what a queue leaves is everybody's -----------------------------------------------------------------------------


def test_what_a_queue_leaves_is_given_back_once() -> None:
    slot = slots_on(day := a_day(), 9)[0]
    release_id = announce(day, "queue", batch=1)
    people = [enter(release_id) for _ in range(3)]
    open_queue(release_id)
    first = min(people, key=lambda one: entry_of(release_id, one).rank or 0)
    booked = book(slot.id, first)
    clock.move_to(
        release_of(release_id).opens_at + timedelta(minutes=2) + tending.MARGIN - timedelta(seconds=1)
    )
    tending.tend()
    with pytest.raises(booking.NotYourTurn):
        hold(slot.id)
    clock.advance(timedelta(seconds=1))
    for _ in range(3):
        tending.tend()
    assert hold(slot.id).state == "held"
    assert sorted(entry_of(release_id, one).state for one in people) == ["ended", "ended", "served"]
    assert entry_of(release_id, first).booking_id == booked.id
    with unit() as u:
        assert [line.trigger for line in u.journal_of(release_id)].count("slots_given_back") == 1
    with pytest.raises(booking.EntriesClosed):
        enter(release_id)


def test_slots_are_not_given_back_under_a_hold() -> None:
    slot = slots_on(day := a_day(), 2)[0]
    release_id = announce(day, "queue")
    person = enter(release_id)
    open_queue(release_id)
    clock.advance(tending.MARGIN - timedelta(minutes=1))
    held = hold(slot.id, person)
    clock.advance(timedelta(minutes=2))
    tending.tend()
    with pytest.raises(booking.NotYourTurn):
        hold(slot.id)
    confirm(held)
    tending.tend()
    assert entry_of(release_id, person).state == "served"
    assert hold(slot.id).state == "held"


def test_a_queue_of_nobody_is_given_back_too() -> None:
    slot = slots_on(day := a_day(), 1)[0]
    release_id = announce(day, "queue")
    open_queue(release_id)
    clock.advance(tending.MARGIN)
    tending.tend()
    assert hold(slot.id).state == "held"


# --- a public value is seen -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [" ", "\u3000", "\u200b\u200d", "\ufeff \u2060", "\u3164", "\u2800\ufe0f"])
def test_a_blank_public_value_is_refused(blank: str) -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    close(release_id)
    until_the_value(release_id)
    with pytest.raises(InvalidInput) as refused:
        run_unit(lambda u: booking.propose_value(u, release_id, blank, PLANNER))
    assert refused.value.errors[0]["field"] == "value"


def test_signs_of_no_width_are_not_part_of_it() -> None:
    slots_on(day := a_day(), 1)
    release_id = announce(day)
    close(release_id)
    until_the_value(release_id)
    run_unit(lambda u: booking.propose_value(u, release_id, "\ufeff30\u200b12.45", PLANNER))
    run_unit(lambda u: booking.confirm_value(u, release_id, "3012.45\u200e", COLLEAGUE))
    assert release_of(release_id).public_value == "3012.45"


# --- days within reach ----------------------------------------------------------------------------------------------


@pytest.fixture
def visitors(_offices: None) -> Visitors:
    import wsgi

    return Visitors(wsgi.app.test_client())


@pytest.fixture
def planner(visitors: Visitors) -> Visitor:
    return visitors.officer("BZ-GA", "planner")


@pytest.mark.parametrize("far", FAR)
def test_days_beyond_reach_are_refused_to_planners(planner: Visitor, far: str) -> None:
    at = f"/dept/v1/sites/{EXAM_SITE}"
    for path in ("bookings?day={}", "slots?day={}", "displaced?day={}", "utilisation?from={0}&to={0}"):
        answer = planner.get(f"{at}/{path.format(far)}")
        assert answer.status_code == 422, path
        assert "2100" in answer.json["errors"][0]["message"]
    span = {"item_id": EXAM, "from_day": far, "to_day": far}
    moment = f"{far}T00:00:00+08:00"
    times = dict.fromkeys(("entries_from", "entries_until", "opens_at"), moment)
    assert len(planner.post(f"{at}/releases", {**span, **times, "mode": "queue"}).json["errors"]) == 5
    assert len(planner.post(f"{at}/slots/opening", {**span, "opens_at": moment}).json["errors"]) == 3
    day = planner.http.delete(f"{at}/plan/days/{far}", headers={**planner.headers, "Idempotency-Key": far})
    assert day.status_code == 404


@pytest.mark.parametrize("far", FAR)
def test_days_beyond_reach_are_refused_to_citizens(visitors: Visitors, far: str) -> None:
    answer = Visitor(visitors.http).get(f"/mp/v1/slots?item_id={ITEM}&day={far}")
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "day")


def test_no_window_takes_a_bare_date() -> None:
    import wsgi

    models = {
        model
        for surface in wsgi.SURFACES
        for route in surface.routes
        for model in (route.body, route.query)
        if isinstance(model, type)
    }
    assert [f"{model.__name__}.{name}" for model in models for name in _bare(model, set())] == []


def test_the_guard_sees_a_bare_date() -> None:
    class Inner(Body):
        spans: list[tuple[Day, dt.date]]

    class Asked(Query):
        right: Day | None = None
        wrong: pydantic.AwareDatetime | None = None
        plain: dt.date
        inner: list[Inner]

    assert list(_bare(Asked, set())) == ["wrong", "plain", "inner"]


def _bare(model: type[pydantic.BaseModel], seen: set[type]) -> Iterator[str]:
    """Fields of a model, or of a model in it, that hold a date without bounds."""
    seen.add(model)
    for name, about in model.model_fields.items():
        if _is_bare(about.annotation, about.metadata, seen):
            yield name


def _is_bare(kind: Any, metadata: Any, seen: set[type]) -> bool:
    if WITHIN_REACH in metadata:
        return False
    if parts := get_args(kind):
        return any(_is_bare(part, getattr(kind, "__metadata__", ()), seen) for part in parts)
    if not isinstance(kind, type):
        return False
    if issubclass(kind, pydantic.BaseModel):
        return kind not in seen and any(_bare(kind, seen))
    return issubclass(kind, dt.date) or kind.__name__.endswith(("Date", "Datetime"))


# --- spoilt sheets --------------------------------------------------------------------------------------------------


def _encrypted(packed: bytes) -> bytes:
    return _headers(packed, 6, 8, 1)


def _packed_oddly(packed: bytes) -> bytes:
    return _headers(packed, 8, 10, 99)


def _damaged(packed: bytes) -> bytes:
    """The packed bytes of every part are noise."""
    spoilt, with_parts = bytearray(packed), zipfile.ZipFile(io.BytesIO(packed))
    for part in with_parts.infolist():
        name, extra = struct.unpack_from("<HH", packed, part.header_offset + 26)
        begin = part.header_offset + 30 + name + extra
        spoilt[begin : begin + part.compress_size] = b"\xff" * part.compress_size
    return bytes(spoilt)


def _without_styles(packed: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as source, zipfile.ZipFile(made, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"<a/>" if name == "xl/styles.xml" else source.read(name))
    return made.getvalue()


def _headers(packed: bytes, local: int, central: int, value: int) -> bytes:
    """Another value in both headers of every part."""
    spoilt = bytearray(packed)
    for mark, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = packed.find(mark)
        while at >= 0:
            struct.pack_into("<H", spoilt, at + offset, value)
            at = packed.find(mark, at + 4)
    return bytes(spoilt)


SPOIL: tuple[Callable[[bytes], bytes], ...] = (_encrypted, _packed_oddly, _damaged, _without_styles)


@pytest.mark.parametrize("spoil", SPOIL)
def test_a_spoilt_sheet_is_told_as_unreadable(spoil: Callable[[bytes], bytes]) -> None:
    packed = run_unit(lambda u: plans.export_plan(u, EXAM_SITE))
    with pytest.raises(plans.PlanRefused) as refused:
        read_book(spoil(packed), COLUMNS)
    assert "不是可以读取" in str(refused.value.extra["findings"])
