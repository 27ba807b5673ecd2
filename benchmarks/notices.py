"""True news of money as the two channels would send it, sealed and signed by the simulators' own code."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.kernel import clock
from backend.kernel.money import yuan
from benchmarks.stage import Stage
from simulators import alipay_seal, create_app, wxpay_seal
from simulators.outbox import Sealed
from simulators.world import EXTENSION, World

FEN = 8_000
_BASE = "http://127.0.0.1"


@dataclass(frozen=True, slots=True)
class PostOffice:
    """Seals letters; the n-th payment is WeChat Pay's when n is even, Alipay's when it is odd."""

    world: World

    def written(self, path: Path, first: int, count: int) -> Path:
        """A file of `count` notices, a line for each."""
        with path.open("w", encoding="utf-8") as file:
            for n in range(first, first + count):
                letter = self._wechat_pay(n) if n % 2 == 0 else self._alipay(n)
                told = [f"{name}: {value}" for name, value in letter.headers.items()]
                file.write("\t".join([letter.url.removeprefix(_BASE), *told, letter.body.decode()]) + "\n")
        return path

    def _wechat_pay(self, n: int) -> Sealed:
        number, keys = f"pay{n:026d}", self.world.keys
        order: dict[str, Any] = {
            "appid": keys["WECHAT_APPID"], "mchid": keys["WXPAY_MCHID"], "out_trade_no": number,
            "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "promotion_detail": [],
            "payer": {"openid": secrets.token_hex(14)}, "transaction_id": f"4200{n:024d}", "trade_type": "JSAPI",
            "bank_type": "OTHERS", "success_time": clock.local(clock.now()).isoformat(timespec="seconds"),
            "amount": {"total": FEN, "currency": "CNY", "payer_total": FEN, "payer_currency": "CNY"},
        }  # fmt: skip
        url = f"{_BASE}/callbacks/payments/wechat_pay"
        news = wxpay_seal.notice(self.world, "TRANSACTION.SUCCESS", "transaction", "支付成功", url, order)
        return wxpay_seal.route(self.world).seal(news, "")

    def _alipay(self, n: int) -> Sealed:
        keys, at = self.world.keys, f"{clock.local(clock.now()):%Y-%m-%d %H:%M:%S}"
        fields = {
            "notify_type": "trade_status_sync", "notify_id": secrets.token_hex(17), "app_id": keys["ALIPAY_APPID"],
            "charset": "utf-8", "version": "1.0", "seller_id": keys["ALIPAY_SELLER_ID"],
            "trade_no": f"2026{n:024d}", "out_trade_no": f"pay{n:026d}", "trade_status": "TRADE_SUCCESS",
            "subject": "不动产登记费", "total_amount": yuan(FEN), "buyer_open_id": secrets.token_hex(14),
            "gmt_create": at, "gmt_payment": at, "receipt_amount": yuan(FEN), "buyer_pay_amount": yuan(FEN),
            "fund_bill_list": f'[{{"amount":"{yuan(FEN)}","fundChannel":"ALIPAYACCOUNT"}}]',
        }  # fmt: skip
        content = {"url": f"{_BASE}/callbacks/payments/alipay", "fields": fields}
        return alipay_seal.route(self.world).seal(content, "")


@contextlib.contextmanager
def post_office(place: Stage) -> Iterator[PostOffice]:
    """Open where the simulators' keys of this stage lie; no simulator needs to run."""
    world = create_app(place.providers, None, None, _BASE, _BASE).extensions[EXTENSION]
    try:
        yield PostOffice(world)
    finally:
        world.close()
