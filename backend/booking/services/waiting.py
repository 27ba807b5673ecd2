"""The wait list: what citizens do. Who is offered what, and when, is in `offering`."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select

from backend import catalogue, people
from backend.booking import companions
from backend.booking.machine import HELD, WAIT
from backend.booking.models import WAITING_COMPANIONS, BookingRow, SiteRow, WaitRow
from backend.booking.problems import AlreadyWaiting
from backend.booking.questions_waiting import own_wait, wait_view
from backend.booking.rules import DEFAULT, Rules
from backend.booking.services.company import require_no_blocks
from backend.booking.services.hindrances import require_no_block, require_unbooked
from backend.booking.services.keeping import locked, release
from backend.booking.services.site_rules import rules_of
from backend.booking.services.taking import wake_offers
from backend.booking.views_waiting import WaitView, WaitWish
from backend.kernel import clock, ids
from backend.kernel.problems import FieldError, ImpossibleMove, InvalidInput, NotYours
from backend.store.unit import SYSTEM, Actor, Unit, map_constraint

map_constraint("uq_booking_wait_person", AlreadyWaiting)
LONGEST: Final = timedelta(days=92)
"""Nobody waits for a day further ahead than this."""


def join_wait(u: Unit, wish: WaitWish, by: Actor) -> WaitView:
    """Wait for a place, or for as many in one slot as a family needs.

    Raises InvalidInput, RealNameNeeded, AlreadyBooked, AlreadyWaiting, BookingSuspended, CompanionNotFree.
    """
    site_rules = rules_of(u, wish.site_id, wish.item_id) if wish.site_id else DEFAULT
    _require_sense(u, wish, site_rules)
    people.require_level(u, wish.person_id, site_rules.level)
    require_no_block(u, wish.person_id, wish.item_id)
    require_no_blocks(u, wish.companions, wish.item_id)
    require_unbooked(u, wish.person_id, wish.item_id, wish.subject)
    wait = WaitRow(
        id=ids.new_id("wt"), person_id=wish.person_id, case_id=wish.case_id, item_id=wish.item_id,
        subject=wish.subject, site_id=wish.site_id, from_day=wish.from_day, to_day=wish.to_day,
        since=clock.now(), offers=0, party=wish.party,
    )  # fmt: skip
    wait.companions = companions.sealed(WAITING_COMPANIONS, wait.id, wish.companions)
    u.begin(WAIT, wait, by=by, says="已加入候补，有空位会通知您")
    u.add(wait)
    u.flush()
    u.after_commit(wake_offers)
    return wait_view(u, wait)


def leave_wait(u: Unit, wait_id: str, person_id: str, by: Actor) -> WaitView:
    """Wait no more; a place that is offered goes to the next. Raises NotYours, ImpossibleMove."""
    offered = own_wait(u, wait_id, person_id)
    row = locked(u, offered) if offered is not None else None
    wait = _locked_wait(u, wait_id)
    if wait.booking_id is not None and (row is None or row.id != wait.booking_id):
        # Offered between the two looks. Usually the booking is locked first: a deadlock would repeat the unit.
        row = locked(u, wait.booking_id)
    _leave(u, wait, row, by)
    u.flush()
    return wait_view(u, wait)


def decline_offer(u: Unit, wait_id: str, person_id: str, by: Actor) -> WaitView:
    """Pass a place on to the next at once and wait for another. Raises NotYours, ImpossibleMove."""
    offered = own_wait(u, wait_id, person_id)
    row = locked(u, offered) if offered is not None else None
    wait = _locked_wait(u, wait_id)
    WAIT.move(wait.state, "passed")
    if row is None or row.state != HELD or wait.booking_id != row.id:
        # Confirmed, run out or offered anew between the two looks: what was meant is not there any more.
        raise ImpossibleMove
    release(u, row, "cancelled", by)
    u.flush()
    return wait_view(u, _locked_wait(u, wait_id))


def end_waits_of_case(u: Unit, case_id: str) -> None:
    """A case that ended needs no visit, and nobody waits for one."""
    query = select(WaitRow).where(WaitRow.case_id == case_id, WaitRow.state == "waiting")
    for wait in u.session.scalars(query.order_by(WaitRow.id).with_for_update()).all():
        u.step(WAIT, wait, "left", by=SYSTEM)


def _leave(u: Unit, wait: WaitRow, offered: BookingRow | None, by: Actor) -> None:
    """The wait is left first, so that the end of its offer does not set it waiting again."""
    is_offered = offered is not None and wait.booking_id == offered.id and wait.state == "offered"
    u.step(WAIT, wait, "left", by=by)
    if offered is not None and is_offered:
        release(u, offered, "cancelled", by)
        wait.booking_id = None


def _require_sense(u: Unit, wish: WaitWish, rules: Rules) -> None:
    errors: list[FieldError] = []
    subjects, today = catalogue.published_version(u, wish.item_id).policy.booking_subjects, clock.today()
    if wish.subject not in (subjects or ("",)):
        errors.append({"field": "subject", "message": "请选择要候补的科目"})
    if not max(wish.from_day, today) <= wish.to_day <= today + LONGEST:
        errors.append({"field": "to_day", "message": f"请选择今天起 {LONGEST.days} 天内的日期，先早后晚"})
    if wish.party > rules.max_party:
        errors.append({"field": "companions", "message": f"一次最多预约 {rules.max_party} 人"})
    if wish.site_id is not None:
        site = u.get(SiteRow, wish.site_id)
        if site is None or wish.item_id not in site.item_ids:
            errors.append({"field": "site_id", "message": "这个办事点不办理此事项，请另选"})
    if errors:
        raise InvalidInput(errors=errors)


def _locked_wait(u: Unit, wait_id: str) -> WaitRow:
    wait = u.get(WaitRow, wait_id, lock=True)
    if wait is None:
        raise NotYours
    return wait
