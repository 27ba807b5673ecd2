"""A forger's workshop: genuine notices, signed with the providers' own keys.

The signatures are the simulators' own code. A `Letter` is what the postman hands in at one of our doors.
"""

import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

import payments
from backend.kernel import clock
from simulators.credentials import Keyring, load_keyring
from simulators.signing import gcm_seal, rsa_sign

SIGNATURE_TYPE = "WECHATPAY2-SHA256-RSA2048"
PATHS = {"wechat_pay": "/callbacks/payments/wechat_pay", "alipay": "/callbacks/payments/alipay"}
REFUND_PATHS = PATHS | {"wechat_pay": "/callbacks/payments/wechat_pay_refund"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclass(frozen=True)
class Back:
    """A refund on its way, about which a notice may speak."""

    payment: payments.PaymentView
    number: str
    amount_fen: int

    @property
    def channel(self) -> str:
        return self.payment.channel


Money = payments.PaymentView | Back


@dataclass(frozen=True)
class Letter:
    """One notice as it arrives."""

    path: str
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


class Workshop:
    """Holds the providers' keys, and one of a stranger."""

    def __init__(self, state_dir: Path, rng: random.Random) -> None:
        self.keys: Keyring = load_keyring(state_dir)
        self.rng = rng
        self.stranger = generate_private_key(65537, 2048)
        self._kept: dict[str, Letter] = {}
        self.makers: dict[str, Callable[..., Letter]] = {"wechat_pay": self.wechat, "alipay": self.alipay}

    def genuine(self, money: Money, **more: Any) -> Letter:
        """The news that this payment or this refund succeeded."""
        return self.makers[money.channel](money, **more)

    def kept(self, money: Money) -> Letter:
        """The genuine news, signed once for all that a forger does with it."""
        if money.number not in self._kept:
            self._kept[money.number] = self.genuine(money)
        return self._kept[money.number]

    def wechat(self, money: Money, *, age: int = 0, key: str = "", **changes: Any) -> Letter:
        kind = "refund" if isinstance(money, Back) else "transaction"
        news = {
            "mchid": self.keys["WXPAY_MCHID"],
            "success_time": clock.local(clock.now()).isoformat(timespec="seconds"),
        } | (self._returned(money) if isinstance(money, Back) else self._paid(money))
        news |= changes.pop("news", {})
        nonce = secrets.token_hex(6)
        sealed = {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": kind,
            "ciphertext": gcm_seal(
                key or self.keys["WXPAY_APIV3_KEY"], nonce, kind, json.dumps(news).encode()
            ),
        } | changes.pop("resource", {})
        envelope = {"id": f"EV-{secrets.token_hex(16)}", "resource": sealed} | changes
        return self.signed(json.dumps(envelope).encode(), money, age)

    def _paid(self, payment: payments.PaymentView) -> dict[str, Any]:
        return {
            "appid": self.keys["WECHAT_APPID"],
            "out_trade_no": payment.number,
            "transaction_id": f"4200{payment.number[-20:]}",
            "trade_state": "SUCCESS",
            "amount": {"total": payment.amount_fen, "currency": "CNY"},
        }

    def _returned(self, back: Back) -> dict[str, Any]:
        return {
            "out_trade_no": back.payment.number,
            "transaction_id": f"4200{back.payment.number[-20:]}",
            "refund_id": f"5030{back.number[-20:]}",
            "out_refund_no": back.number,
            "refund_status": "SUCCESS",
            "amount": {"total": back.payment.amount_fen, "refund": back.amount_fen},
        }

    def signed(self, body: bytes, money: Money, age: int = 0) -> Letter:
        """Any body, signed by WeChat Pay `age` seconds ago, for the door where news of this money comes."""
        paths = REFUND_PATHS if isinstance(money, Back) else PATHS
        stamp, nonce = str(int(clock.wire_seconds()) - age), secrets.token_hex(16)
        signature = rsa_sign(self.keys.pairs["wxpay_platform"], f"{stamp}\n{nonce}\n".encode() + body + b"\n")
        headers = {
            "Wechatpay-Timestamp": stamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": signature,
            "Wechatpay-Serial": self.keys["WXPAY_PUBLIC_KEY_ID"],
            "Wechatpay-Signature-Type": SIGNATURE_TYPE,
            "Content-Type": "application/json",
        }
        return Letter(paths["wechat_pay"], headers, body)

    def alipay(self, money: Money, **changes: str) -> Letter:
        now = f"{clock.local(clock.now()):%Y-%m-%d %H:%M:%S}"
        payment = money.payment if isinstance(money, Back) else money
        yuan, back = (f"{fen // 100}.{fen % 100:02d}" for fen in (payment.amount_fen, money.amount_fen))
        fields = {
            "notify_type": "trade_status_sync",
            "notify_id": secrets.token_hex(17),
            "notify_time": now,
            "app_id": self.keys["ALIPAY_APPID"],
            "seller_id": self.keys["ALIPAY_SELLER_ID"],
            "trade_no": f"2026{payment.number[-20:]}",
            "out_trade_no": payment.number,
            "trade_status": "TRADE_SUCCESS",
            "subject": "不动产登记费",
            "total_amount": yuan,
            "gmt_payment": now,
        }
        if isinstance(money, Back):
            fields |= {"gmt_refund": now, "out_biz_no": money.number, "refund_fee": back}
        fields |= changes
        return self.sealed(fields)

    def sealed(self, fields: dict[str, str]) -> Letter:
        """Any form, signed by Alipay."""
        text = "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()
        sign = rsa_sign(self.keys.pairs["alipay_platform"], text)
        body = urlencode(fields | {"sign_type": "RSA2", "sign": sign}).encode()
        return Letter(PATHS["alipay"], {"Content-Type": FORM}, body)
