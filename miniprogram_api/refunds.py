"""Story: I ask for my money back, or think better of it; each step of it is shown with the payment."""

from pydantic import Field

import payments
from backend.kernel.problems import NotFound
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import Unit


class RefundWish(Body):
    """Why, and how much in fen; without an amount all that is left."""

    reason: str = Field(min_length=2, max_length=80)
    amount_fen: int | None = Field(default=None, ge=1, le=100_000_000)


def ask_for_refund(call: Call[RefundWish], u: Unit, payment_id: str) -> payments.RefundView:
    """Ask for money of my payment back; people of the payee decide."""
    wish, me = call.body, call.principal
    return payments.ask_for_refund(u, payment_id, me.id, wish.amount_fen, wish.reason, me.actor)


def withdraw_refund(call: Call[None], u: Unit, payment_id: str, refund_id: str) -> payments.RefundView:
    """Take my question back while nobody has decided it; I may ask again."""
    me = call.principal
    return payments.withdraw_refund(u, payment_id, refund_id, me.id, me.actor)


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface."""
    surface.post(
        "/payments/<payment_id>/refunds",
        body=RefundWish,
        answers=payments.RefundView,
        status=201,
        problems=(NotFound, payments.NotRefundable, payments.RefundTooLarge, payments.RefundUnderReview),
    )(ask_for_refund)
    surface.post(
        "/payments/<payment_id>/refunds/<refund_id>/withdrawal",
        answers=payments.RefundView,
        problems=(NotFound, payments.RefundDecided),
    )(withdraw_refund)
