"""News of the platforms: delivery reports, and what WeChat pushes about cards and grants."""

from flask import Blueprint, Response, request
from sqlalchemy import select

from backend.contracts import Notice
from backend.runtime import callbacks
from backend.runtime.callbacks import Forged
from backend.store import vault
from backend.store.unit import Unit
from notifications import grants, wording
from notifications.channels.sms_reports import SmsReports
from notifications.channels.wechat_push import ACCEPTED, CLOSED, REJECTED, WeChatPush
from notifications.machine import DELIVERED, MESSAGE, SENDING, UNKNOWN
from notifications.models import DESTINATION, Message
from notifications.outcomes import delivered, fail

ARRIVED = "delivered"


def settle_sms(u: Unit, notice: Notice) -> None:
    """A delivery report: the message is found by our number or theirs, never by phone."""
    row = u.get(Message, notice.subject, lock=True) if notice.subject else None
    row = row or _by_provider_id(u, wording.SMS, notice.facts["provider_id"])
    if row is None or row.channel != wording.SMS:
        u.verdict(notice, "unknown", "no message of ours")
    else:
        _settle(u, row, notice)


def settle_wechat(u: Unit, notice: Notice) -> None:
    """A push about a template (accepted, closed) or about a card (arrived, refused after all)."""
    openid = str(notice.facts["openid"])
    if notice.trigger == ACCEPTED:
        grants.platform_says_accepted(u, openid, notice.subject)
    elif notice.trigger == CLOSED:
        grants.mark_gone(u, openid, notice.subject)
    elif notice.trigger != REJECTED:
        _settle_card(u, openid, notice)


def callbacks_blueprint() -> Blueprint:
    """POST /callbacks/notifications/sms_aliyun/<token>, GET and POST /callbacks/notifications/wechat."""
    push = WeChatPush()
    made = callbacks.blueprint(
        "notifications",
        [("sms_aliyun/<token>", SmsReports(), settle_sms), ("wechat", push, settle_wechat)],
    )

    def check_address() -> Response:
        try:
            return Response(push.echo(request), content_type="text/plain; charset=utf-8")
        except Forged:
            return Response(status=403)

    made.add_url_rule("/wechat", "wechat_address", check_address, methods=["GET"])
    return made


def _settle_card(u: Unit, openid: str, notice: Notice) -> None:
    number = str(notice.facts["provider_id"])
    row = _card_of(u, number) or _on_its_way(u, openid) or _card_of(u, number)
    if row is None:
        u.verdict(notice, "unknown", "no message of ours")
    else:
        _settle(u, row, notice)


def _settle(u: Unit, row: Message, notice: Notice) -> None:
    number = str(notice.facts["provider_id"])
    if row.state == DELIVERED:
        u.verdict(notice, "duplicate", "it has arrived already")
    elif not MESSAGE.can(row.state, notice.trigger):
        u.verdict(notice, "impossible", f"{notice.trigger} while {row.state}")
    elif notice.trigger == ARRIVED:
        row.provider_id = number or row.provider_id
        delivered(u, row, notice.occurred_at)
    elif row.provider_id not in (None, number) or row.state == "queued":
        u.verdict(notice, "mismatch", "it speaks of an earlier sending")
    else:
        row.provider_id = number or row.provider_id
        fail(u, row, str(notice.facts["why"]))


def _by_provider_id(u: Unit, channel_name: str, number: str) -> Message | None:
    if not number:
        return None
    wanted = select(Message).where(Message.channel == channel_name, Message.provider_id == number)
    return u.session.scalars(wanted.with_for_update().limit(1)).first()


def _card_of(u: Unit, number: str) -> Message | None:
    return _by_provider_id(u, wording.WECHAT, number)


def _on_its_way(u: Unit, openid: str) -> Message | None:
    """A push may come before the answer to our call, which holds its number: then the account finds the card.

    Waits while that answer is being written down; the number finds the card afterwards.
    """
    wanted = (
        select(Message)
        .where(
            Message.channel == wording.WECHAT,
            Message.state.in_((SENDING, UNKNOWN)),
            Message.destination_blind.in_(vault.blinds(DESTINATION.place, openid)),
        )
        .order_by(Message.id)
        .limit(1)
        .with_for_update()
    )
    return u.session.scalars(wanted).first()
