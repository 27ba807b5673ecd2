"""Halls of their own for tests: a site with window groups and windows, and what people do there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from backend import booking
from backend.booking.hall.doors import TicketView
from backend.booking.models import SiteRow, TicketRow, WindowGroupRow, WindowRow
from backend.kernel import clock, ids
from backend.store.unit import Unit, run_unit, unit
from tests.booking.makers import CLERK, ITEM, at_desk, book, make_slot

OTHER_ITEM = "SI026"


@dataclass(frozen=True)
class Hall:
    """A site; `groups` by letter, `windows` by number."""

    site: str
    groups: dict[str, str]
    windows: dict[int, str]

    def walk_in(self, letter: str = "A") -> TicketView:
        return run_unit(
            lambda u: booking.halls.take_number(u, self.site, CLERK, group_id=self.groups[letter])
        )

    def call(self, window: int = 1) -> TicketView:
        return run_unit(lambda u: booking.halls.call_next(u, self.windows[window], CLERK))

    def arrive(self, slot: booking.Slot) -> booking.halls.CheckedIn:
        """Somebody new with an appointment in this slot, checked in now."""
        here = clock.now()
        clock.move_to(min(here, slot.starts_at - timedelta(hours=3)))
        booked = book(slot.id)
        clock.move_to(here)
        seen = at_desk(booked, booked.check_in_code or "", self.site)
        assert isinstance(seen, booking.halls.CheckedIn)
        return seen

    def slot(self, minutes: int) -> booking.Slot:
        """Half an hour, beginning so many minutes after nine on the hall's day."""
        return make_slot(4, starts=nine() + timedelta(minutes=minutes), site=self.site)

    def screen(self) -> booking.Screen:
        with unit() as u:
            return booking.screen_of(u, self.site)


def make_hall(*marked: bool, other: int = 0, department: str = "BZ-GT") -> Hall:
    """A hall with group A for ITEM, its windows marked "booked first" or not; `other` windows in group B."""
    site = ids.new_id("si")
    plan = {"A": (ITEM, marked or (False,)), "B": (OTHER_ITEM, (False,) * other)}
    groups = {letter: ids.new_id("wg") for letter, (_, windows) in plan.items() if windows}
    numbered: dict[int, str] = {}

    def build(u: Unit) -> None:
        u.add(
            SiteRow(
                id=site, name="测试大厅", kind="hall", department_id=department, region_code="341600", address="测试路",
                hours=[["09:00", "12:00"]], item_ids=[ITEM, OTHER_ITEM],
            )
        )  # fmt: skip
        u.flush()
        for letter, group_id in groups.items():
            item, windows = plan[letter]
            u.add(
                WindowGroupRow(id=group_id, site_id=site, name=f"{letter}区", letter=letter, item_ids=[item])
            )
            u.flush()
            for first in windows:
                number = len(numbered) + 1
                numbered[number] = ids.new_id("wi")
                u.add(
                    WindowRow(
                        id=numbered[number],
                        site_id=site,
                        group_id=group_id,
                        number=number,
                        booked_first=first,
                    )
                )

    run_unit(build)
    return Hall(site, groups, numbered)


def nine() -> datetime:
    """Nine o'clock on the hall's day, three days ahead."""
    return _day[0]


def open_the_day() -> None:
    """Move to nine o'clock on the hall's day."""
    clock.reset()
    _day[0] = clock.at_local(clock.today() + timedelta(days=3), 9)
    clock.move_to(_day[0])


def wait(minutes: float) -> None:
    clock.advance(timedelta(minutes=minutes))


def ticket_row(ticket_id: str) -> TicketRow:
    with unit() as u:
        row = u.session.scalars(select(TicketRow).where(TicketRow.id == ticket_id)).one()
        u.session.expunge(row)
        return row


_day = [clock.now()]
