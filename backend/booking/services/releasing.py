"""Releases: announced with a sealed seed, closed on time, called off; and whose turn it is in a queue."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from backend.booking.machine import RELEASE
from backend.booking.models import SEED, ReleaseRow, SiteRow
from backend.booking.problems import NotYourTurn, ReleaseNotReady, ReleaseUnknown, SlotsInUse
from backend.booking.questions import spoken
from backend.booking.releases import draws
from backend.booking.releases.views import Opening, ReleasePlan, SlotRange
from backend.booking.services.taking import keep_new
from backend.kernel import clock, ids, privacy
from backend.kernel.problems import FieldError, InvalidInput, NotYours
from backend.runtime import worker
from backend.store import lean, vault
from backend.store.unit import Actor, Unit

QUEUE, DRAW = "queue", "draw"
ANNOUNCED, CLOSED, OPENED, DRAWN, CALLED_OFF = "announced", "closed", "opened", "drawn", "called_off"
MINUTE: Final = timedelta(minutes=1)
MOST_DAYS: Final = 92
TEND, DRAW_ON = "booking.tend_releases", "booking.finish_draws"
"""The chores that carry a release on."""

_TURN: Final = """
    SELECT r.mode, r.state, r.opens_at, r.batch, e.state, e.rank, r.entries_until
    FROM booking_release r LEFT JOIN booking_entry e ON e.release_id = r.id AND e.person_id = %s WHERE r.id = %s
"""
_RANGE: Final = """
    SELECT id, opens_at, closes_at, release_id FROM booking_slot
    WHERE site_id = %(site)s AND item_id = %(item)s AND subject = %(subject)s AND NOT urgent AND closed_at IS NULL
        AND starts_at >= %(first)s AND starts_at < %(end)s AND starts_at > %(now)s
    ORDER BY id FOR UPDATE
"""
_TAKEN: Final = (
    "SELECT DISTINCT slot_id FROM booking_place WHERE slot_id = ANY(%s) AND booking_id IS NOT NULL"
)
_COVER: Final = "UPDATE booking_slot SET release_id = %s WHERE id = ANY(%s)"
_OPEN_AT: Final = "UPDATE booking_slot SET opens_at = %s WHERE id = ANY(%s)"
_UNCOVER: Final = """
    UPDATE booking_slot SET release_id = NULL, opens_at = greatest(opens_at, %s) WHERE release_id = %s RETURNING id
"""
_RELEASE_LOCK: Final = "SELECT pg_advisory_xact_lock{kind}(hashtextextended(%s, 4715))"


def require_turn(u: Unit, release_id: str, person_id: str) -> None:
    """Whether somebody may take a place that is given out in order. Raises NotYourTurn."""
    row = lean.execute(u.session, _TURN, (person_id, release_id)).fetchone()
    if row is None:
        return
    mode, state, opens_at, batch, entry_state, rank, entries_until = row
    # Who has booked may come again (another time, or after cancelling): the turn stays theirs.
    stands = mode == QUEUE and rank is not None and entry_state in ("entered", "queued", "served")
    turn_at = turn_of(rank, opens_at, batch) if stands else None
    if turn_at is not None and turn_at <= clock.now() and state in (CLOSED, OPENED):
        return
    says = _by_draw(state, opens_at) if mode == DRAW else _in_line(turn_at, entries_until)
    told = (turn_at or opens_at).isoformat()
    raise NotYourTurn(says, release_id=release_id, opens_at=opens_at.isoformat(), your_turn_at=told)


def turn_of(rank: int, opens_at: datetime, batch: int) -> datetime:
    """From when this rank may book: the first `batch` at once, each minute as many more."""
    return opens_at + MINUTE * ((rank - 1) // batch)


def _by_draw(state: str, opens_at: datetime) -> str:
    left = f"没有摇出的名额{spoken(opens_at)}起向所有人开放。"
    if state == ANNOUNCED:
        return f"这个时段只按摇号分配，请先报名。{left}"
    return f"这个时段只按摇号分配，报名已截止，请等结果。{left}"


def _in_line(turn_at: datetime | None, entries_until: datetime) -> str:
    if turn_at is not None and turn_at > clock.now():
        return f"这个时段按排队顺序预约，{spoken(turn_at)}轮到您，请到时再约。"
    if entries_until > clock.now():
        return f"这个时段按排队顺序预约，请在{spoken(entries_until)}前报名，截止后排定顺序。"
    return "这个时段按排队顺序预约，您还不在队里；现在报名，会排在最后。"


def announce(u: Unit, plan: ReleasePlan, by: Actor) -> str:
    """Announce a release of slots that nobody has yet; its seed is drawn, sealed and committed to now.

    Returns the id. Raises NotYours (no such site), InvalidInput, SlotsInUse.
    """
    _require_sense(u, plan)
    found = _untouched(u, plan.slots)
    if any(closes_at <= plan.opens_at for _, closes_at in found):
        raise _wrong("opens_at", "放号时间太晚：有的时段那时已停止预约")
    seed, wanted = secrets.token_bytes(draws.SEED_BYTES), plan.slots
    row = ReleaseRow(
        id=ids.new_id("rl"), site_id=wanted.site_id, item_id=wanted.item_id, subject=wanted.subject, mode=plan.mode,
        entries_from=plan.entries_from, entries_until=plan.entries_until, opens_at=plan.opens_at, batch=plan.batch,
        commitment=draws.commitment_of(seed), public_source=plan.public_source,
        public_value_at=plan.public_value_at if plan.mode == DRAW else None, made_by=by.id, made_at=clock.now(),
    )  # fmt: skip
    row.seed = vault.seal_bytes(SEED.place, row.id, seed)
    u.add(row)
    facts = {"mode": row.mode, "slots": len(found), "commitment": row.commitment.hex()}
    u.begin(RELEASE, row, by=by, says="放号安排已公布", facts=facts)
    u.session.flush()
    u.session.refresh(row)
    lean.execute(u.session, _COVER, (row.id, [slot_id for slot_id, _ in found]))
    return row.id


def open_at(u: Unit, wanted: SlotRange, opens_at: datetime, by: Actor) -> Opening:
    """Let slots that nobody has yet open for everybody at a published moment.

    Raises NotYours (no such site), InvalidInput, SlotsInUse.
    """
    _require_range(u, wanted)
    found = _untouched(u, wanted)
    if opens_at <= clock.now() or any(closes_at <= opens_at for _, closes_at in found):
        raise _wrong("opens_at", "开放时间应当在现在之后、时段停止预约之前")
    lean.execute(u.session, _OPEN_AT, (opens_at, [slot_id for slot_id, _ in found]))
    facts = {"item": wanted.item_id, "slots": len(found), "opens_at": opens_at.isoformat()}
    u.note(wanted.site_id, wanted.site_id, "opening_set", by=by, says="公布了开放预约的时间", facts=facts)
    return Opening(len(found), opens_at)


def call_off(u: Unit, release_id: str, reason: str, by: Actor) -> None:
    """Give a release up: its slots are everybody's at once, its seed is shown, whoever entered is told.

    Raises ReleaseUnknown, ReleaseNotReady (the outcome is fixed), ImpossibleMove.
    """
    shut(u, release_id)
    row = locked_release(u, release_id)
    if row.public_value is not None:
        raise ReleaseNotReady("公开数值已经确认，结果已定，不能再取消。")
    row.called_off_why = privacy.scrub(reason)
    u.step(RELEASE, row, "called_off", by=by, facts={"reason": row.called_off_why})
    row.revealed_seed = seed_of(row).hex()
    if row.record is not None:
        row.record = draws.signed({**row.record, "seed": row.revealed_seed})
    give_slots_back(u, row, None)
    u.after_commit(wake_tending)


def give_slots_back(u: Unit, row: ReleaseRow, opens_at: datetime | None) -> None:
    """The slots of a release are everybody's, not before `opens_at`; who waits for one of them comes first."""
    u.session.flush()
    for (slot_id,) in lean.execute(u.session, _UNCOVER, (opens_at, row.id)).fetchall():
        keep_new(u, slot_id)


def seed_of(row: ReleaseRow) -> bytes:
    """The seed, still secret."""
    return vault.open_sealed_bytes(SEED.place, row.id, row.seed)


def locked_release(u: Unit, release_id: str) -> ReleaseRow:
    """A release, locked. Raises ReleaseUnknown."""
    row = u.get(ReleaseRow, release_id, lock=True)
    if row is None:
        raise ReleaseUnknown
    return row


def admit(u: Unit, release_id: str) -> ReleaseRow:
    """A release as it stands, which does not close before this unit ends. Raises ReleaseUnknown.

    Thousands enter at once: they share a lock in memory instead of waiting for a row.
    """
    lean.execute(u.session, _RELEASE_LOCK.format(kind="_shared"), (release_id,))
    row = u.session.get(ReleaseRow, release_id, populate_existing=True)
    if row is None:
        raise ReleaseUnknown
    return row


def shut(u: Unit, release_id: str) -> None:
    """Wait until nobody is just entering, and let nobody enter before this unit ends."""
    lean.execute(u.session, _RELEASE_LOCK.format(kind=""), (release_id,))


def wake_tending() -> None:
    """Let the entries of a release be told soon."""
    worker.wake(TEND)


def wake_drawing() -> None:
    """Let a draw be carried out soon."""
    worker.wake(DRAW_ON)


def _untouched(u: Unit, wanted: SlotRange) -> list[tuple[str, datetime]]:
    """Ids and ends of booking of the slots, locked. Raises InvalidInput (none), SlotsInUse.

    A slot that opened at a published time is in use even while it is empty: people were told that it is theirs.
    """
    now = clock.now()
    asked = {
        "site": wanted.site_id, "item": wanted.item_id, "subject": wanted.subject, "now": now,
        "first": clock.start_of_day(wanted.from_day), "end": clock.start_of_day(wanted.to_day + timedelta(days=1)),
    }  # fmt: skip
    found = lean.execute(u.session, _RANGE, asked).fetchall()
    if not found:
        raise _wrong("from_day", "这些日期里没有可以安排的时段")
    # A statement of its own: holds that were under way when we locked have their places by now.
    in_use = {slot_id for (slot_id,) in lean.execute(u.session, _TAKEN, ([row[0] for row in found],))}
    in_use |= {row[0] for row in found if row[3] is not None or (row[1] is not None and row[1] <= now)}
    if in_use:
        raise SlotsInUse(slots=sorted(in_use))
    return [(row[0], row[2]) for row in found]


def _require_range(u: Unit, wanted: SlotRange) -> None:
    site = u.get(SiteRow, wanted.site_id)
    if site is None:
        raise NotYours
    if wanted.item_id not in site.item_ids:
        raise _wrong("item_id", "这个办事点不办理此事项")
    if not timedelta(0) <= wanted.to_day - wanted.from_day <= timedelta(days=MOST_DAYS):
        raise _wrong("to_day", f"结束日期应当不早于开始日期，最多 {MOST_DAYS} 天")


def _require_sense(u: Unit, plan: ReleasePlan) -> None:
    _require_range(u, plan.slots)
    wrong: list[FieldError] = []
    if plan.entries_until <= max(clock.now(), plan.entries_from):
        wrong.append({"field": "entries_until", "message": "报名截止应当在现在和报名开始之后"})
    if plan.opens_at < plan.entries_until:
        wrong.append({"field": "opens_at", "message": "放号时间应当在报名截止之后"})
    if plan.mode == DRAW:
        wrong += _wrong_value(plan)
    if wrong:
        raise InvalidInput(errors=wrong)


def _wrong_value(plan: ReleasePlan) -> list[FieldError]:
    """A value that could be known while people still enter would let somebody choose entries by it."""
    wrong: list[FieldError] = []
    if not plan.public_source:
        wrong.append(
            {"field": "public_source", "message": "请写明摇号采用哪个公开数值，例如某日上证综指收盘价"}
        )
    known_at = plan.public_value_at
    if known_at is None or known_at <= plan.entries_until or plan.entries_until <= plan.opens_at < known_at:
        message = "请写明公开数值什么时候确定：应当在报名截止之后、放号时间之前"
        wrong.append({"field": "public_value_at", "message": message})
    return wrong


def _wrong(field: str, message: str) -> InvalidInput:
    return InvalidInput(errors=[{"field": field, "message": message}])
