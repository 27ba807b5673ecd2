"""Where the channels reach us: POST /callbacks/payments/<path>, one ear per path."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Request

from backend.contracts import Notice
from backend.runtime.callbacks import Provider, Reply, Settle, blueprint
from payments import swift
from payments.channels import channel
from payments.settling import settle


@dataclass(slots=True)
class Ear:
    """Finds its channel when it is called, so that the town plan can be read without any keys."""

    name: str

    def read_notices(self, request: Request, body: bytes) -> Sequence[Notice]:
        return (channel(self.name).read_notice(dict(request.headers), body),)

    def acknowledge(self, *, accepted: bool) -> Reply:
        return channel(self.name).acknowledge(accepted=accepted)


def providers() -> Sequence[tuple[str, Provider, Settle]]:
    """(path, ear, settle) of every address we give to a channel."""
    # Payments and refunds of WeChat Pay come to addresses of their own, in the same envelope.
    wechat_pay, alipay = Ear("wechat_pay"), Ear("alipay")
    return (
        ("wechat_pay", wechat_pay, settle),
        ("wechat_pay_refund", wechat_pay, settle),
        ("alipay", alipay, settle),
    )


def callbacks_blueprint() -> Blueprint:
    """What the town plan opens under /callbacks/payments."""
    return blueprint("payments", providers(), swift.questions)
