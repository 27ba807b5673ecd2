"""Citizens enter a release: one entry per person, and within the time for entries it is all the same when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select

from backend import people
from backend.booking import companions as coming
from backend.booking.machine import ENTRY
from backend.booking.models import (
    ENTRY_COMPANION,
    ENTRY_COMPANIONS,
    EntryCompanionRow,
    EntryRow,
    ReleaseRow,
    SlotRow,
)
from backend.booking.parties import Party
from backend.booking.problems import AlreadyEntered, EntriesClosed, OneLotEach
from backend.booking.questions import spoken
from backend.booking.rules import Rules
from backend.booking.services.company import require_no_blocks, stand_still
from backend.booking.services.hindrances import require_no_block, require_unbooked
from backend.booking.services.releasing import (
    ANNOUNCED,
    CALLED_OFF,
    CLOSED,
    OPENED,
    QUEUE,
    admit,
    locked_release,
)
from backend.booking.services.site_rules import rules_of
from backend.booking.views import Companion
from backend.booking.wording import say
from backend.kernel import clock, ids
from backend.kernel.problems import InvalidInput, NotYours
from backend.store import lean, vault
from backend.store.unit import SYSTEM, Actor, Unit, map_constraint

map_constraint("uq_booking_entry_person", AlreadyEntered)
REAL_NAME = 2
"""One human being, one entry: that needs the register to know who it is, whatever else a site asks."""
_SOMETHING_LEFT: Final = """
    SELECT EXISTS (SELECT 1 FROM booking_slot s JOIN booking_place p ON p.slot_id = s.id AND p.booking_id IS NULL
        WHERE s.release_id = %s AND s.closes_at > %s AND s.closed_at IS NULL AND p.kind <> 'walk_in')
"""
_OTHERS: Final = "e.release_id = %(release)s AND e.id <> %(entry)s AND e.state <> 'withdrawn'"
_TWICE: Final = f"""
    WITH ours AS (SELECT {people.folded.NUMBER} AS blind UNION SELECT unnest(%(blinds)s::bytea[]))
    SELECT EXISTS (SELECT 1 FROM booking_entry e JOIN booking_entry_companion c ON c.entry_id = e.id
        WHERE {_OTHERS} AND c.number_blind IN (SELECT blind FROM ours))
    OR EXISTS (SELECT 1 FROM booking_entry e WHERE {_OTHERS}
        AND e.person_id IN (SELECT {people.folded.HOLDER.format(blind="ours.blind")} FROM ours))
"""


def enter(
    u: Unit, release_id: str, person_id: str, wishes: Sequence[str], case_id: str | None, by: Actor,
    companions: Sequence[Companion] = (),
) -> str:  # fmt: skip
    """Enter a release; `wishes` are slots of it in the order of preference, none means any of them.

    A family is one entry, with one lot or one turn. In a queue one may enter too late as long as something is left:
    behind everybody else, as they come. Who has left may come again. Returns the id of the entry. Raises
    ReleaseUnknown, EntriesClosed, AlreadyEntered, OneLotEach, AlreadyBooked, BookingSuspended,
    CompanionNotFree, RealNameNeeded, InvalidInput.
    """
    stand_still(u, companions, person_id)
    release, now = admit(u, release_id), clock.now()
    _require_open(u, release, now)
    known = _entry_locked(u, release_id, person_id)
    if known is not None and known.state != "withdrawn":
        raise AlreadyEntered(entry_id=known.id)
    rules = rules_of(u, release.site_id, release.item_id)
    people.require_level(u, person_id, max(REAL_NAME, rules.level))
    require_no_block(u, person_id, release.item_id)
    require_no_blocks(u, companions, release.item_id)
    require_unbooked(u, person_id, release.item_id, release.subject)
    _require_slots(u, release, wishes, 1 + len(companions), rules)
    row = known or EntryRow(id=ids.new_id("ey"), release_id=release_id, person_id=person_id)
    _require_one_lot(u, row, companions)
    row.wishes, row.case_id, row.entered_at = list(wishes), case_id, now
    party = Party(person_id, 1 + len(companions), tuple(one.id_no for one in companions))
    row.elder, row.party = party.are_elders(u, rules), party.size
    row.companions = coming.sealed(ENTRY_COMPANIONS, row.id, companions)
    if known is None:
        u.add(row)
        u.begin(ENTRY, row, by=by, says="已报名", facts={"release": release_id})
    else:
        u.step(ENTRY, row, "entered_again", by=by)
    if release.state != ANNOUNCED:
        _join_the_end(u, row, by)
    u.flush()
    _name(u, row.id, companions)
    return row.id


def withdraw_entry(u: Unit, release_id: str, person_id: str, by: Actor) -> None:
    """Leave a release. Raises NotYours (never entered), ImpossibleMove (too late for that)."""
    row = _entry_locked(u, release_id, person_id)
    if row is None:
        raise NotYours
    u.step(ENTRY, row, "withdrawn", by=by)
    u.flush()


def withdraw_for_case(u: Unit, case_id: str) -> None:
    """A case that ended needs no visit: its entries leave."""
    query = (
        select(EntryRow)
        .where(EntryRow.case_id == case_id, EntryRow.state.in_(("entered", "queued")))
        .order_by(EntryRow.id)
        .with_for_update()
    )
    for row in u.session.scalars(query).all():
        u.step(ENTRY, row, "withdrawn", by=SYSTEM)


def _require_open(u: Unit, release: ReleaseRow, now: datetime) -> None:
    if now >= release.entries_from:
        if release.state == ANNOUNCED and now < release.entries_until:
            return
        if (
            release.mode == QUEUE
            and release.state in (ANNOUNCED, CLOSED, OPENED)
            and _something_left(u, release)
        ):
            return
    raise EntriesClosed(
        _when(release, now),
        entries_from=release.entries_from.isoformat(),
        entries_until=release.entries_until.isoformat(),
    )


def _when(release: ReleaseRow, now: datetime) -> str:
    """When entries are taken or were, and what there is to do instead."""
    until = spoken(release.entries_until)
    if release.state == CALLED_OFF:
        return say("entries", "called_off")
    if now < release.entries_from:
        return say("entries", "not_yet", since=spoken(release.entries_from), until=until)
    if release.mode == QUEUE:
        return say("entries", "nothing_left", until=until)
    return say("entries", "over", until=until, opens=spoken(release.opens_at))


def _something_left(u: Unit, release: ReleaseRow) -> bool:
    row = lean.execute(u.session, _SOMETHING_LEFT, (release.id, clock.now())).fetchone()
    return row is not None and bool(row[0])


def _require_slots(u: Unit, release: ReleaseRow, wishes: Sequence[str], party: int, rules: Rules) -> None:
    """Slots of the release, each of them large enough for the whole party."""
    found = select(SlotRow.id, SlotRow.capacity).where(SlotRow.release_id == release.id)
    ours = {row.id: row.capacity for row in u.session.execute(found.where(SlotRow.id.in_(wishes)))}
    if len(set(wishes)) != len(wishes) or ours.keys() != set(wishes):
        message = "请从本次放号的时段中选择，每个时段只选一次"
        raise InvalidInput(errors=[{"field": "wishes", "message": message}])
    if party == 1:
        return
    largest = select(func.max(SlotRow.capacity)).where(SlotRow.release_id == release.id)
    most = min(rules.max_party, min(ours.values()) if ours else u.session.scalar(largest) or 0)
    if party > most:
        raise InvalidInput(errors=[{"field": "companions", "message": f"所选时段一次最多预约 {most} 人"}])


def _require_one_lot(u: Unit, row: EntryRow, companions: Sequence[Companion]) -> None:
    """One human being, one lot, alone or with others; all of them hold still, so nobody enters beside us."""
    blinds = [blind for one in companions for blind in people.folded.number_blinds(one.id_no)]
    asked = {"release": row.release_id, "entry": row.id, "person": row.person_id, "blinds": blinds}
    found = lean.execute(u.session, _TWICE, asked).fetchone()
    if found is not None and found[0]:
        raise OneLotEach


def _name(u: Unit, entry_id: str, companions: Sequence[Companion]) -> None:
    """Write down who comes along with an entry, in place of those who were to come before."""
    u.session.execute(delete(EntryCompanionRow).where(EntryCompanionRow.entry_id == entry_id))
    for one in companions:
        row = EntryCompanionRow(id=ids.new_id("cn"), entry_id=entry_id)
        row.id_no = vault.seal(ENTRY_COMPANION.place, row.id, one.id_no)
        row.number_blind = people.folded.number_blind(one.id_no)
        u.add(row)
    u.flush()


def _join_the_end(u: Unit, row: EntryRow, by: Actor) -> None:
    """Behind everybody else; who left the queue and comes again finds their own place."""
    if row.rank is None:
        # One after the other: two must not get the same place.
        locked_release(u, row.release_id)
        last = u.session.scalar(select(func.max(EntryRow.rank)).where(EntryRow.release_id == row.release_id))
        row.rank = (last or 0) + 1
    u.step(ENTRY, row, "queued", by=by, facts={"rank": row.rank})


def _entry_locked(u: Unit, release_id: str, person_id: str) -> EntryRow | None:
    query = select(EntryRow).where(EntryRow.release_id == release_id, EntryRow.person_id == person_id)
    return u.session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
