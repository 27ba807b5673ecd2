"""Citizens who missed appointments see until when they are blocked, why, and may say why they could not come."""

from pydantic import Field

from backend import booking
from backend.booking import BlockView
from backend.kernel.problems import NotYours
from backend.runtime.surface import Body, Call, Surface, Unit
from backend.store.unit import unit


class Appeal(Body):
    """Why I could not come; the site's department reads it and answers."""

    text: str = Field(min_length=2, max_length=500)


def my_blocks(call: Call[None]) -> list[BlockView]:
    """List what keeps me, or kept me, from booking: the appointments missed, until when, and my appeals."""
    with unit() as u:
        return booking.blocks_of(u, call.principal.id)


def one_block(call: Call[None], block_id: str) -> BlockView:
    """Show one of them: a message about it leads here."""
    with unit() as u:
        return booking.block_of(u, block_id, call.principal.id)


def appeal(call: Call[Appeal], u: Unit, block_id: str) -> BlockView:
    """Appeal against a block, once."""
    return booking.appeal_block(u, block_id, call.principal.id, call.body.text, call.principal.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on a surface."""
    surface.get("/booking-blocks", answers=list[BlockView])(my_blocks)
    surface.get("/booking-blocks/<block_id>", answers=BlockView, problems=(NotYours,))(one_block)
    surface.post(
        "/booking-blocks/<block_id>/appeal",
        body=Appeal,
        answers=BlockView,
        problems=(NotYours, booking.AppealTooLate, booking.ImpossibleMove),
    )(appeal)
