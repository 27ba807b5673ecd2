"""Words for messages about appointments and what stands beside them. They name nobody and no one's numbers."""

import re
from collections.abc import Mapping
from typing import Final

from backend.booking import reminding
from backend.booking.machine import BLOCK, BOOKING, CANCELLED, CONFIRMED, ENTRY, HELD, LAPSED, MISSED, WAIT
from backend.booking.models import BlockRow, BookingRow, EntryRow, ReleaseRow, SiteRow, SlotRow, WaitRow
from backend.booking.naming import item_name
from backend.booking.questions import slot_and_site, spoken
from backend.booking.services.answering import offers_left
from backend.booking.services.lateness import due_at, is_late
from backend.booking.services.wanted import ORIGIN
from backend.kernel import clock
from backend.kernel.problems import Problem
from backend.store.unit import SYSTEM, Unit

Facts = Mapping[str, str]
BRIEF: Final = 12
FIRST_IN_LINE: Final = "已把您排在候补最前，有空位先为您保留"
_PAUSE: Final = re.compile("[，。；：！？,;!?]")


def facts_for(u: Unit, booking_id: str) -> Facts:
    """Of an appointment: place, when, item, number and more.

    `not_after`: what is told of it must not arrive after the appointment, nor after the hold has run out.
    `closed` is there when its time was closed, `restored` when it was opened again, `closed_over` when it passed
    closed, or ended when it was closed (that is true for ever); `new_when` and the like, when another time is held for
    it, `instead`, when none was found; `never_sure`, when it was given back before it was confirmed; `missed`, when
    nobody came; `cancelled_why`, when we ended it, and `refused`, when that was because the evidence for an hour
    outside the usual ones was not good enough (that is told late, too); `offers_left`, how many more places may be
    offered today, when it was an offer that ran out and its person waits on.
    """
    row = u.get(BookingRow, booking_id)
    if row is None:
        return {}
    slot, site = slot_and_site(u.session, row.slot_id)
    closed, ended = _of_a_closed_time(u, row, slot), _of_an_end(u, row)
    end = row.held_until if row.state == HELD else slot.starts_at
    return {
        "place": site.name,
        "address": site.address,
        "when": spoken(slot.starts_at),
        "item": _item(u, row.item_id, row.subject),
        "number": row.number,
        "state": BOOKING.label(row.state),
        "people": str(row.party),
        "origin": row.origin,
        "moves": str(row.moves),
        **({} if {"closed_over", "refused"} & {*closed, *ended} else {"not_after": end.isoformat()}),
        **({"held_until": spoken(row.held_until)} if row.state == HELD else {}),
        **ended,
        **_of_an_offer(u, row),
        **closed,
        **_of_a_move(u, row),
        **reminding.standing(u, row, slot),
    }


def wait_facts_for(u: Unit, wait_id: str) -> Facts:
    """Of somebody's wait for a place: item, days, place where one was chosen."""
    row = u.get(WaitRow, wait_id)
    if row is None:
        return {}
    return {
        "item": _item(u, row.item_id, row.subject),
        "state": WAIT.label(row.state),
        "days": f"{row.from_day.month}月{row.from_day.day}日至{row.to_day.month}月{row.to_day.day}日",
        **({"place": u.session.get_one(SiteRow, row.site_id).name} if row.site_id else {}),
    }


def entry_facts_for(u: Unit, entry_id: str) -> Facts:
    """Of an entry in a release: item and place; `called_off` when the release was, `why` when it was passed over."""
    row = u.get(EntryRow, entry_id)
    if row is None:
        return {}
    release = u.session.get_one(ReleaseRow, row.release_id)
    return {
        "item": _item(u, release.item_id, release.subject),
        "state": ENTRY.label(row.state),
        "place": u.session.get_one(SiteRow, release.site_id).name,
        **_of_a_delay(row, release),
        **({"called_off": row.state} if row.state == "called_off" else {}),
        **({"why": _in_words(row.why)} if row.why else {}),
    }


def _of_a_delay(row: EntryRow, release: ReleaseRow) -> Facts:
    return {"delayed": due_at(release).isoformat()} if row.state == "entered" and is_late(release) else {}


def block_facts_for(u: Unit, block_id: str) -> Facts:
    """Of a block: item, until when, when and where the last appointment was missed, and why an appeal ended so."""
    row = u.get(BlockRow, block_id)
    if row is None:
        return {}
    until = clock.local(row.until)
    cause = facts_for(u, row.cause_id)
    return {
        "item": _item(u, row.item_id, ""),
        "state": BLOCK.label(row.state),
        "until": f"{until.year}年{until.month}月{until.day}日",
        "why": row.decided_why.rstrip("。"),
        **{name: cause[name] for name in ("when", "place") if name in cause},
    }


def _in_words(slug: str) -> str:
    """What a kind of problem says to citizens."""
    titles = {kind.slug: kind.title for kind in Problem.all()}
    return titles.get(slug, "").rstrip("。")


def _of_an_end(u: Unit, row: BookingRow) -> Facts:
    if row.state == MISSED:
        return {"missed": row.state}
    if row.state != CANCELLED:
        return {}
    steps = {entry.trigger for entry in u.journal_of(row.matter) if entry.subject == row.id}
    if "confirmed" not in steps:
        return {"never_sure": row.state}
    why = row.cancelled_why.rstrip("。")
    told = {"cancelled_why": why, "cancelled_brief": _brief(why)} if why else {}
    return {**told, "refused": row.state} if "refused" in steps else told


def _of_a_closed_time(u: Unit, row: BookingRow, slot: SlotRow) -> Facts:
    if slot.closed_at is None:
        told_at = row.displaced_at if (row.state, row.displaced_from) == (CONFIRMED, slot.id) else None
        return {"restored": told_at.isoformat()} if told_at is not None else {}
    why = {"closed_why": slot.closed_why.rstrip("。"), "closed_brief": _brief(slot.closed_why)}
    if row.state == CONFIRMED:
        in_line = row.displaced_at == slot.closed_at and row.displaced_to is None
        return {
            "closed": slot.closed_at.isoformat(),
            **why,
            **({"instead": FIRST_IN_LINE} if in_line else {}),
        }
    return {"closed_over": slot.closed_at.isoformat(), **why} if _passed_closed(u, row, slot) else {}


def _passed_closed(u: Unit, row: BookingRow, slot: SlotRow) -> bool:
    """Whether we ended it because its time came and was closed, or had it only been held when that was closed.

    The citizen's own cancelling is no news.
    """
    if row.state != CANCELLED or row.displaced_from != slot.id:
        return False
    steps = [one for one in u.journal_of(row.matter) if one.subject == row.id]
    was_sure = any(one.trigger == "confirmed" for one in steps)
    ends = [one for one in steps if one.trigger == "cancelled" and one.actor.kind == SYSTEM.kind]
    return any(not was_sure or one.occurred_at >= slot.starts_at for one in ends)


def _of_an_offer(u: Unit, row: BookingRow) -> Facts:
    left = offers_left(u, row) if (row.origin, row.state) == (ORIGIN, LAPSED) else None
    return {} if left is None else {"offers_left": str(left)}


def _brief(why: str) -> str:
    """The first words of a reason: a short message has room for no more."""
    first = _PAUSE.split(why.strip(), maxsplit=1)[0]
    return first if len(first) <= BRIEF else first[: BRIEF - 1] + "…"


def _of_a_move(u: Unit, row: BookingRow) -> Facts:
    if row.moving_to is None or row.moving_until is None:
        return {}
    slot, site = slot_and_site(u.session, row.moving_to)
    return {
        "new_when": spoken(slot.starts_at),
        "new_place": site.name,
        "held_until": spoken(row.moving_until),
        "move_not_after": row.moving_until.isoformat(),
    }


def _item(u: Unit, item_id: str, subject: str) -> str:
    """What people call it, also when nobody can apply for it any more."""
    name = item_name(u, item_id)
    return f"{name}（{subject}）" if subject and name else name or subject
