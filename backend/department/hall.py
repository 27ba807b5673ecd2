"""The departments' window in the hall: self check-in, queue numbers, the clerk who calls them, and the windows."""

import re
from collections.abc import Callable
from typing import Final, Literal

from pydantic import Field

from backend import booking, people
from backend.booking import halls
from backend.booking.hall.doors import CheckedIn, QueueOfGroup, TicketView, WindowView
from backend.department.reach import require_own_site, require_planner
from backend.kernel.problems import InvalidInput, NotYours, TooMany
from backend.runtime.surface import Body, Call, Surface, Unit
from backend.store.unit import Actor, run_unit, unit

OF_THE_HALL: Final = ("window_clerk", "planner", "system")
"""Who opens and shuts windows."""
_SCANNED = re.compile(r"ZB:([0-9A-Za-z]{12}):(\d{6})")


class SelfCheckIn(Body):
    """What the machine read: the code on the phone, or the booking's number and the last four of the ID card.

    `scanned` is the text of the QR code, `ZB:<number>:<code>`: twelve letters and figures, then six figures that
    change.
    """

    scanned: str = Field("", max_length=40)
    number: str = Field("", max_length=20)
    id_tail: str = Field("", pattern=r"^(\d{3}[0-9Xx])?$")


class TakeNumber(Body):
    """Which queue: a window group, or the one that handles an item."""

    group_id: str = Field("", max_length=40)
    item_id: str = Field("", max_length=40)


class TransferTo(Body):
    group_id: str = Field(max_length=40)


class Finish(Body):
    """`identity_checked`: the clerk has compared ID cards and faces with the booking, its companions too.

    Not needed where the card was shown to the window at check-in, nor of somebody without an appointment.
    """

    identity_checked: bool = False


class Leaving(Body):
    """Why: they went away, or the card was not that of the one who booked."""

    reason: Literal["left", "identity_differs"] = "left"


class Shut(Body):
    """`hand_over`: whoever is called at the window waits again, for another one; else they are served first."""

    hand_over: bool = False


def self_check_in(call: Call[SelfCheckIn], site_id: str) -> CheckedIn:
    """Check in at a machine; the answer holds the queue number where the site gives one."""
    number, code, id_tail = _read(call.body)

    def at_the_machine(u: Unit) -> CheckedIn | None:
        require_own_site(u, site_id, call.principal)
        by = call.principal.actor
        return halls.check_in_by_number(u, number, site_id, by, code=code, id_tail=id_tail)

    # A wrong code is counted by a unit that commits, and refused only then.
    seen = run_unit(at_the_machine)
    if seen is None:
        raise halls.WrongCheckInCode
    return seen


def take_number(call: Call[TakeNumber], u: Unit, site_id: str) -> TicketView:
    """Give a queue number to somebody without an appointment."""
    asked = call.body
    if bool(asked.group_id) == bool(asked.item_id):
        raise InvalidInput(errors=[{"field": "group_id", "message": "请选择窗口组或事项中的一项"}])
    require_own_site(u, site_id, call.principal)
    return halls.take_number(u, site_id, call.principal.actor, group_id=asked.group_id, item_id=asked.item_id)


def queues(call: Call[None], site_id: str) -> list[QueueOfGroup]:
    """Show the queues of a site: windows, whom they serve, and who waits."""
    with unit() as u:
        require_own_site(u, site_id, call.principal)
        return halls.queues_at(u, site_id)


def call_next(call: Call[None], u: Unit, window_id: str) -> TicketView:
    """Call whoever is next at a window."""
    require_own_site(u, halls.window_site(u, window_id), call.principal)
    return halls.call_next(u, window_id, call.principal.actor)


def recall(call: Call[None], u: Unit, ticket_id: str) -> TicketView:
    """Call the same number once more."""
    return _with_own(call, u, ticket_id, halls.recall_ticket)


def pass_over(call: Call[None], u: Unit, ticket_id: str) -> TicketView:
    """Let the next three go first, because nobody came."""
    return _with_own(call, u, ticket_id, halls.pass_ticket)


def mark_absent(call: Call[None], u: Unit, ticket_id: str) -> TicketView:
    """Note that somebody called several times is not there."""
    return _with_own(call, u, ticket_id, halls.mark_absent)


def finish(call: Call[Finish], u: Unit, ticket_id: str) -> TicketView:
    """Say that the visit is over, and that the identity was checked."""
    require_own_site(u, halls.ticket_of(u, ticket_id).site_id, call.principal)
    checked = call.body.identity_checked
    return halls.finish_ticket(u, ticket_id, call.principal.actor, identity_checked=checked)


def leave(call: Call[Leaving], u: Unit, ticket_id: str) -> TicketView:
    """Note that somebody went without having been served; a place for walk-ins is free for the next."""
    require_own_site(u, halls.ticket_of(u, ticket_id).site_id, call.principal)
    return halls.leave_ticket(u, ticket_id, call.body.reason, call.principal.actor)


def open_window(call: Call[None], u: Unit, window_id: str) -> WindowView:
    """Open a window for today; tomorrow the plan has the say again."""
    require_planner(u, halls.window_site(u, window_id), call.principal, OF_THE_HALL)
    return halls.open_window(u, window_id, call.principal.actor)


def shut_window(call: Call[Shut], u: Unit, window_id: str) -> WindowView:
    """Shut a window for today: nobody is called to it any more."""
    require_planner(u, halls.window_site(u, window_id), call.principal, OF_THE_HALL)
    return halls.shut_window(u, window_id, call.principal.actor, hand_over=call.body.hand_over)


def transfer(call: Call[TransferTo], u: Unit, ticket_id: str) -> TicketView:
    """Send to another queue of the site; number and place in time are kept."""
    require_own_site(u, halls.ticket_of(u, ticket_id).site_id, call.principal)
    return halls.transfer_ticket(u, ticket_id, call.body.group_id, call.principal.actor)


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
            halls.WrongDayOrSite,
            halls.WrongCheckInCode,
            halls.AlreadyCheckedIn,
            booking.ImpossibleMove,
        ),
    )(self_check_in)
    surface.post(
        "/sites/<site_id>/tickets",
        body=TakeNumber,
        answers=TicketView,
        status=201,
        problems=(NotYours, halls.NoQueueHere, halls.WalkInsFull),
    )(take_number)
    surface.get("/sites/<site_id>/queues", answers=list[QueueOfGroup], problems=(NotYours,))(queues)
    surface.post(
        "/windows/<window_id>/calls",
        answers=TicketView,
        problems=(NotYours, halls.WindowShut, halls.WindowBusy, halls.NobodyWaiting),
    )(call_next)
    _register_tickets(surface)
    _register_windows(surface)


def _register_tickets(surface: Surface) -> None:
    for path, step, problems in (
        ("recall", recall, (halls.CalledEnough,)),
        ("pass", pass_over, ()),
        ("absence", mark_absent, (halls.CalledTooLittle,)),
    ):
        surface.post(
            f"/tickets/<ticket_id>/{path}",
            answers=TicketView,
            problems=(NotYours, booking.ImpossibleMove, *problems),
        )(step)
    surface.post(
        "/tickets/<ticket_id>/finish",
        body=Finish,
        answers=TicketView,
        problems=(NotYours, booking.ImpossibleMove, halls.IdentityUnchecked),
    )(finish)
    surface.post(
        "/tickets/<ticket_id>/leaving",
        body=Leaving,
        answers=TicketView,
        problems=(NotYours, booking.ImpossibleMove),
    )(leave)
    surface.post(
        "/tickets/<ticket_id>/transfer",
        body=TransferTo,
        answers=TicketView,
        problems=(NotYours, booking.ImpossibleMove, halls.SameGroup),
    )(transfer)


def _register_windows(surface: Surface) -> None:
    surface.post(
        "/windows/<window_id>/opening", answers=WindowView, problems=(NotYours, people.OutsideYourScope)
    )(open_window)
    surface.post(
        "/windows/<window_id>/shutting",
        body=Shut,
        answers=WindowView,
        problems=(NotYours, people.OutsideYourScope, halls.WindowBusy),
    )(shut_window)


def _with_own(
    call: Call[None], u: Unit, ticket_id: str, act: Callable[[Unit, str, Actor], TicketView]
) -> TicketView:
    require_own_site(u, halls.ticket_of(u, ticket_id).site_id, call.principal)
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
