"""Telephones of the payments bureau: one file per provider, one port, and this registry of one line each."""

from collections.abc import Callable
from functools import lru_cache

from backend.runtime import alipay_client, settings
from payments.channels.alipay import AlipayChannel
from payments.channels.port import Channel
from payments.channels.wechat_pay import WeChatPayChannel

__all__ = ["NAMES", "channel"]


@lru_cache(maxsize=4)
def _wechat_pay(account: settings.WeChatPay, appid: str, callbacks: str, bill_most: int) -> Channel:
    return WeChatPayChannel(account, appid, callbacks, bill_most)


@lru_cache(maxsize=4)
def _alipay(account: settings.Alipay, callbacks: str, bill_most: int) -> Channel:
    return AlipayChannel(account, alipay_client.AlipayClient(account), callbacks, bill_most)


def _callbacks(known: settings.Settings) -> str:
    return f"{known.town.public_base_url}/callbacks/payments"


def _most(known: settings.Settings) -> int:
    return known.money.statement_max_bytes


_MAKERS: dict[str, Callable[[settings.Settings], Channel]] = {
    "wechat_pay": lambda known: _wechat_pay(known.wxpay, known.wechat.appid, _callbacks(known), _most(known)),
    "alipay": lambda known: _alipay(known.alipay, _callbacks(known), _most(known)),
}
NAMES = tuple(_MAKERS)


def channel(name: str) -> Channel:
    """The telephone of a channel, keys read once per account. Raises KeyError for a name that is none."""
    return _MAKERS[name](settings.settings())
