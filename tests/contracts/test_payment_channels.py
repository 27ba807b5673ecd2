"""One contract for every registered payment channel, over real HTTP against its simulator."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.hazmat.primitives import serialization
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from backend.kernel import clock, ids
from backend.runtime import alipay_client, outbound
from backend.runtime.settings import settings
from payments.channels import NAMES, channel, port
from payments.channels.alipay import AlipayChannel
from payments.channels.wechat_pay import WeChatPayChannel

NOWHERE = "http://127.0.0.1:1"
PROVIDERS = {"wechat_pay": "wxpay", "alipay": "alipay"}
"""What the simulators call the channels."""


@dataclass
class Letterbox:
    """Keeps what a provider sends, so that it can be read, twisted and read again."""

    letters: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.letters.append((dict(request.headers), request.get_data()))
        self.arrived.set()
        return Response(b"success")(environ, start_response)

    def first(self) -> tuple[dict[str, str], bytes]:
        assert self.arrived.wait(5)
        return self.letters[0]


@contextmanager
def letterbox() -> Iterator[tuple[str, Letterbox]]:
    box = Letterbox()
    server = make_server("127.0.0.1", 0, box)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}", box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def made(name: str, callbacks: str = "", bill_most: int = 2**31, **account: str) -> port.Channel:
    """A channel of our own: other callbacks, another account, or a smaller limit."""
    known = settings()
    if name == "wechat_pay":
        return WeChatPayChannel(replace(known.wxpay, **account), known.wechat.appid, callbacks, bill_most)
    configured = replace(known.alipay, **account)
    return AlipayChannel(configured, alipay_client.AlipayClient(configured), callbacks, bill_most)


@dataclass
class Shop:
    """One order at one channel, and its payer."""

    town: Any
    line: port.Channel

    def __post_init__(self) -> None:
        if self.line.name == "wechat_pay":
            self.payer = self.town.control("/wechat/login", {})["openid"]
        else:
            self.payer = self.town.control("/alipay/login", {})["open_id"]
        self.order = self.new_order()

    def new_order(self) -> port.Order:
        number = ids.new_id("pay").replace("-", "")
        return port.Order(
            number, "不动产登记费 A/B=C&D", 8050, self.payer, clock.now() + timedelta(minutes=30)
        )

    def prepared(self) -> str:
        ticket = self.line.prepare(self.order)
        assert isinstance(ticket, port.Ticket)
        return ticket.reference

    def paid(self) -> str:
        reference = self.prepared()
        parameters = self.line.client_parameters(reference)
        if self.line.name == "wechat_pay":
            body = {"decision": "approve", "openid": self.payer, "params": dict(parameters)}
            self.town.control("/wxpay/pay", body)
        else:
            self.town.control("/alipay/pay", {"decision": "approve", "trade_no": parameters["tradeNO"]})
        return self.order.number

    def refund_order(self, amount_fen: int = 8050) -> port.RefundOrder:
        number = ids.new_id("rf").replace("-", "")
        return port.RefundOrder(number, self.order.number, amount_fen, 8050, "多收费用")

    def fault(self, verb: str, kind: str, **more: Any) -> None:
        provider = PROVIDERS[self.line.name]
        self.town.control("/faults", {"provider": provider, "verb": verb, "kind": kind} | more)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(town: Any, name: str) -> Iterator[Shop]:
    yield Shop(town, channel(name))
    town.control("/faults", method="DELETE")


def ended(line: port.Channel, order: port.RefundOrder) -> port.RefundNews:
    """The refund's end; providers take their moment."""
    for _ in range(100):
        news = line.query_refund(order.number, order.payment_number)
        if not isinstance(news, port.RefundPending):
            return news
        clock.sleep(0.05)
    raise AssertionError("the refund never ended")


# --- orders -----------------------------------------------------------------------------------------


def test_it_knows_its_own_name(town: Any, name: str) -> None:
    assert channel(name).name == name


def test_preparing_twice_gives_one_ticket(shop: Shop) -> None:
    assert shop.prepared() == shop.prepared()


def test_a_prepared_order_waits_for_its_payer(shop: Shop) -> None:
    shop.prepared()
    assert isinstance(shop.line.query(shop.order.number), port.Waiting)


def test_a_paid_order_is_found_with_its_sum(shop: Shop) -> None:
    found = shop.line.query(shop.paid())
    assert isinstance(found, port.Paid)
    assert (found.amount_fen, found.ours, bool(found.reference)) == (8050, True, True)
    assert found.paid_at is not None
    assert abs((found.paid_at - clock.now()).total_seconds()) < 10


def test_an_order_nobody_made_is_absent(shop: Shop) -> None:
    assert isinstance(shop.line.query(shop.order.number), port.Absent)
    assert isinstance(shop.line.close(shop.order.number), port.Absent)


def test_a_closed_order_stays_shut(shop: Shop) -> None:
    shop.prepared()
    assert isinstance(shop.line.close(shop.order.number), port.Shut)
    assert isinstance(shop.line.query(shop.order.number), port.Shut)


def test_a_paid_order_can_neither_close_nor_begin_again(shop: Shop) -> None:
    number = shop.paid()
    assert isinstance(shop.line.close(number), port.AlreadyPaid)
    assert isinstance(shop.line.prepare(shop.order), port.AlreadyPaid)


def test_another_order_under_the_same_number_is_refused(shop: Shop) -> None:
    shop.prepared()
    assert isinstance(shop.line.prepare(replace(shop.order, amount_fen=1)), port.Refusal)


def test_a_stranger_cannot_be_the_payer(shop: Shop) -> None:
    assert isinstance(shop.line.prepare(replace(shop.order, payer_account="nobody")), port.Refusal)


# --- refunds ----------------------------------------------------------------------------------------


def test_a_refund_ends_with_its_sum(shop: Shop) -> None:
    shop.paid()
    order = shop.refund_order(3000)
    assert isinstance(shop.line.refund(order), port.RefundPending | port.RefundDone)
    end = ended(shop.line, order)
    assert isinstance(end, port.RefundDone)
    assert end.amount_fen == 3000


def test_the_same_refund_twice_returns_money_once(shop: Shop) -> None:
    shop.paid()
    order = shop.refund_order(5000)
    shop.line.refund(order)
    assert isinstance(shop.line.refund(order), port.RefundPending | port.RefundDone)
    assert isinstance(shop.line.refund(shop.refund_order(5000)), port.Refusal)


def test_a_refund_nobody_asked_for_is_absent(shop: Shop) -> None:
    shop.paid()
    order = shop.refund_order()
    assert isinstance(shop.line.query_refund(order.number, order.payment_number), port.Absent)


# --- silence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["5xx", "5xx_after"])
def test_trouble_of_the_provider_is_neither_yes_nor_no(shop: Shop, kind: str) -> None:
    unpaid = Shop(shop.town, shop.line)
    unpaid.prepared()
    shop.paid()
    shop.fault("*", kind, times=9)
    refund = shop.refund_order()
    answers: list[object] = [
        shop.line.prepare(shop.new_order()),
        shop.line.query(shop.order.number),
        shop.line.close(unpaid.order.number),
        shop.line.refund(refund),
    ]
    outbound.reset_breakers()
    answers.append(shop.line.query_refund(refund.number, refund.payment_number))
    assert [type(answer) for answer in answers] == [port.Unknown] * 5


def test_a_hanging_provider_is_unknown(shop: Shop, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient = made(name)
    telephone = vars(impatient).get("_client") or vars(vars(impatient)["_sdk"])["_core"]
    monkeypatch.setattr(telephone._telephone, "timeout", (0.2, 0.2))
    shop.fault("query", "timeout", seconds=1)
    assert isinstance(impatient.query(shop.order.number), port.Unknown)


def test_a_provider_nobody_reaches_is_unknown(shop: Shop, name: str) -> None:
    address = {"wechat_pay": "base_url", "alipay": "gateway_url"}[name]
    gone = made(name, **{address: NOWHERE})
    assert isinstance(gone.query(shop.order.number), port.Unknown)
    assert isinstance(gone.prepare(shop.order), port.Unknown)


def test_an_answer_signed_by_a_stranger_is_unknown(shop: Shop, name: str, tmp_path: Any) -> None:
    known = settings()
    keys = {"wechat_pay": known.alipay.public_key_file, "alipay": known.wxpay.public_key_file}
    stranger = made(name, public_key_file=keys[name])
    assert isinstance(stranger.query(shop.paid()), port.Unknown)


# --- notices ----------------------------------------------------------------------------------------


@dataclass
class Heard:
    line: port.Channel
    number: str
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def heard(town: Any, name: str) -> Iterator[Heard]:
    """A genuine notice of success, as it came over the wire."""
    with letterbox() as (address, box):
        shop = Shop(town, made(name, address))
        shop.paid()
        headers, body = box.first()
        yield Heard(shop.line, shop.order.number, headers, body)


def test_a_genuine_notice_is_translated(heard: Heard) -> None:
    notice = heard.line.read_notice(heard.headers, heard.body)
    assert (notice.provider, notice.subject) == (heard.line.name, heard.number)
    assert (notice.trigger, notice.amount_fen, notice.facts[port.OURS]) == ("succeeded", 8050, True)
    assert notice.raw == heard.body


def test_a_repeated_notice_has_the_same_key(heard: Heard) -> None:
    first, second = (heard.line.read_notice(heard.headers, heard.body) for _ in range(2))
    assert first.key == second.key


def test_a_changed_byte_never_changes_what_is_believed(heard: Heard) -> None:
    genuine = heard.line.read_notice(heard.headers, heard.body)
    for place in range(0, len(heard.body), max(1, len(heard.body) // 60)):
        twisted = bytearray(heard.body)
        twisted[place] ^= 1
        try:
            believed = heard.line.read_notice(heard.headers, bytes(twisted))
        except port.Forged:
            continue
        # Base64 has bits that mean nothing: such a change alters no word of the news.
        assert replace(believed, raw=heard.body) == genuine


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"a=b", b"sign=x&sign_type=RSA2"])
def test_nonsense_is_refused_as_forged(heard: Heard, body: bytes) -> None:
    with pytest.raises(port.Forged):
        heard.line.read_notice(heard.headers, body)


def test_it_answers_yes_and_no_in_the_providers_words(town: Any, name: str) -> None:
    yes, no = channel(name).acknowledge(accepted=True), channel(name).acknowledge(accepted=False)
    assert (yes.status < 300, no.status >= 400) == (True, True)


# --- what only WeChat Pay has -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"Wechatpay-Serial": "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"},
        {"Wechatpay-Serial": "zz"},
        {"Wechatpay-Serial": ""},
        {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/AAAA"},
        {"Wechatpay-Signature": "%%%"},
        {"Wechatpay-Signature": ""},
        {"Wechatpay-Signature-Type": "WECHATPAY2-SM2-WITH-SM3"},
        {"Wechatpay-Timestamp": "0"},
        {"Wechatpay-Timestamp": "９９"},
        {"Wechatpay-Timestamp": "-1"},
        {"Wechatpay-Nonce": "another"},
    ],
)
@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_a_twisted_header_is_found_out(heard: Heard, change: dict[str, str]) -> None:
    with pytest.raises(port.Forged):
        heard.line.read_notice(heard.headers | change, heard.body)


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_a_notice_older_than_five_minutes_is_refused(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    real = clock.wire_seconds
    monkeypatch.setattr(clock, "wire_seconds", lambda: real() + 301)
    with pytest.raises(port.Forged, match="long ago"):
        heard.line.read_notice(heard.headers, heard.body)


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_an_old_style_merchant_key_works_too(shop: Shop, name: str, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(Path(settings().wxpay.merchant_key_file).read_bytes(), None)
    form, plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (tmp_path / "old.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    line = made(name, merchant_key_file=str(tmp_path / "old.pem"))
    assert isinstance(line.query(shop.order.number), port.Absent)


# --- what only Alipay has ---------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"sign_type": "RSA"}, {"sign": ""}, {"total_amount": "0.01"}])
@pytest.mark.parametrize("name", ["alipay"], indirect=True)
def test_a_twisted_form_is_found_out(heard: Heard, change: dict[str, str]) -> None:
    form = dict(parse_qsl(heard.body.decode())) | change
    with pytest.raises(port.Forged):
        heard.line.read_notice({}, urlencode(form).encode())
