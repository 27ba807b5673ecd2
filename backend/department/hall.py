"""The departments' window in the hall: self check-in, queue numbers, and the clerk who calls them."""

import re
from collections.abc import Callable

from pydantic import Field

from backend import booking
from backend.booking import CheckedIn, QueueOfGroup, TicketView
from backend.department.reach import require_own_site
from backend.kernel.problems import InvalidInput, NotYours, TooMany
from backend.runtime.surface import Body, Call, Surface, Unit
from backend.store.unit import Actor, run_unit, unit

_SCANNED = re.compile(r"ZB:([0-9A-Za-z]{12}):(\d{6})")


class SelfCheckIn(Body):
    """What the machine read: the code on the phone, or the booking's number and the last four of the ID card."""

    scanned: str = Field("", max_length=40)
    number: str = Field("", max_length=20)
    id_tail: str = Field("", pattern=r"^(\d{3}[0-9Xx])?$")


class TakeNumber(Body):
    """Which queue: a window group, or the one that handles an item."""

    group_id: str = Field("", max_length=40)
    item_id: str = Field("", max_length=40)


class TransferTo(Body):
    group_id: str = Field(max_length=40)


def self_check_in(call: Call[SelfCheckIn], site_id: str) -> CheckedIn:
    """Check in at a machine; the answer holds the queue number where the site gives one."""
    number, code, id_tail = _read(call.body)

    def at_the_machine(u: Unit) -> CheckedIn | None:
        require_own_site(u, site_id, call.principal)
        by = call.principal.actor
        return booking.check_in_by_number(u, number, site_id, by, code=code, id_tail=id_tail)

    # A wrong code is counted by a unit that commits, and refused only then.
    seen = run_unit(at_the_machine)
    if seen is None:
        raise booking.WrongCheckInCode
    return seen


def take_number(call: Call[TakeNumber], u: Unit, site_id: str) -> TicketView:
    """Give a queue number to somebody without an appointment."""
    asked = call.body
    if bool(asked.group_id) == bool(asked.item_id):
        raise InvalidInput(errors=[{"field": "group_id", "message": "请选择窗口组或事项中的一项"}])
    require_own_site(u, site_id, call.principal)
    return booking.take_number(
        u, site_id, call.principal.actor, group_id=asked.group_id, item_id=asked.item_id
    )


def queues(call: Call[None], site_id: str) -> list[QueueOfGroup]:
    """Show the queues of a site: windows, whom they serve, and who waits."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return booking.queues_at(u, site_id)


def call_next(call: Call[None], u: Unit, window_id: str) -> TicketView:
    """Call whoever is next at a window."""
    require_own_site(u, booking.window_site(u, window_id), call.principal)
    return booking.call_next(u, window_id, call.principal.actor)


def recall(call: Call[None], u: Unit, ticket_id: str) -> TicketView:
    """Call the same number once more."""
    return _with_own(call, u, ticket_id, booking.recall_ticket)


def pass_over(call: Call[None], u: Unit, ticket_id: str) -> TicketView:
    """Let the next three go first, because nobody came."""
    return _with_own(call, u, ticket_id, booking.pass_ticket)


def mark_absent(call: Call[None], u: Unit, ticket_id: str) -> TicketView:
    """Note that somebody called several times is not there."""
    return _with_own(call, u, ticket_id, booking.mark_absent)


def finish(call: Call[None], u: Unit, ticket_id: str) -> TicketView:
    """Say that the visit is over."""
    return _with_own(call, u, ticket_id, booking.finish_ticket)


def transfer(call: Call[TransferTo], u: Unit, ticket_id: str) -> TicketView:
    """Send to another queue of the site; number and place in time are kept."""
    require_own_site(u, booking.ticket_of(u, ticket_id).site_id, call.principal)
    return booking.transfer_ticket(u, ticket_id, call.body.group_id, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.post(
        "/sites/<site_id>/check-ins",
        body=SelfCheckIn,
        answers=CheckedIn,
        steps=True,
        problems=(
            NotYours,
            TooMany,
            booking.WrongDayOrSite,
            booking.WrongCheckInCode,
            booking.ImpossibleMove,
        ),
    )(self_check_in)
    surface.post(
        "/sites/<site_id>/tickets",
        body=TakeNumber,
        answers=TicketView,
        status=201,
        problems=(NotYours, booking.NoQueueHere),
    )(take_number)
    surface.get("/sites/<site_id>/queues", answers=list[QueueOfGroup], problems=(NotYours,))(queues)
    surface.post(
        "/windows/<window_id>/calls",
        answers=TicketView,
        problems=(NotYours, booking.WindowShut, booking.WindowBusy, booking.NobodyWaiting),
    )(call_next)
    for path, step, problems in (
        ("recall", recall, (booking.CalledEnough,)),
        ("pass", pass_over, ()),
        ("absence", mark_absent, (booking.CalledTooLittle,)),
        ("finish", finish, ()),
    ):
        surface.post(
            f"/tickets/<ticket_id>/{path}",
            answers=TicketView,
            problems=(NotYours, booking.ImpossibleMove, *problems),
        )(step)
    surface.post(
        "/tickets/<ticket_id>/transfer",
        body=TransferTo,
        answers=TicketView,
        problems=(NotYours, booking.ImpossibleMove, booking.SameGroup),
    )(transfer)


def _with_own(
    call: Call[None], u: Unit, ticket_id: str, act: Callable[[Unit, str, Actor], TicketView]
) -> TicketView:
    require_own_site(u, booking.ticket_of(u, ticket_id).site_id, call.principal)
    return act(u, ticket_id, call.principal.actor)


def _read(given: SelfCheckIn) -> tuple[str, str, str]:
    """Number, code and ID tail; one of the two last is empty. Raises InvalidInput."""
    if given.scanned and not given.number and not given.id_tail:
        found = _SCANNED.fullmatch(given.scanned)
        if found is None:
            raise InvalidInput(
                errors=[{"field": "scanned", "message": "不是预约签到码，请出示预约页面上的码"}]
            )
        return found[1], found[2], ""
    if given.number and given.id_tail and not given.scanned:
        return given.number, "", given.id_tail
    raise InvalidInput(errors=[{"field": "scanned", "message": "请扫签到码，或输入预约号和身份证号后四位"}])
