"""The line to the receipt system: what it brings back, and what proves nothing."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from backend.kernel import clock, ids
from backend.runtime import settings as read_settings
from payments.fiscal import http_office, office, port

ORDER = port.Order(
    request_no="", unit_code="3416001", unit_name="测试交警支队", region_code="341602", payer="测试甲",
    kind="fine", item="机动车违反规定停放", amount_fen=10_000, paid_on=clock.today(),
)  # fmt: skip


@contextmanager
def answering(status: int, said: bytes, guess: str = "") -> Iterator[str]:
    """A receipt system that says what it is told, and signs it well unless it has to guess the secret."""

    def serve(environ: Any, start_response: Any) -> Any:
        nonce = Request(environ).headers["X-Nonce"]
        signed = f"{nonce}\n{status}\n{hashlib.sha256(said).hexdigest()}".encode()
        secret = (guess or read_settings.settings().fiscal.secret).encode()
        headers = {"X-Signature": hmac.new(secret, signed, "sha256").hexdigest()}
        return Response(said, status, headers)(environ, start_response)

    server = make_server("127.0.0.1", 0, serve)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_receipt_system_itself_knows_its_receipts(town: Any) -> None:
    order = replace(ORDER, request_no=ids.new_id("rc"))
    issued = office().issue(order)
    assert isinstance(issued, port.Issued)
    words = (issued.code, issued.number, issued.check_code)
    assert office().verify(*words) == port.Genuine(10_000, is_void=False)
    assert office().void(order.request_no, "退款") == port.Voided()
    assert office().verify(*words) == port.Genuine(10_000, is_void=True)
    assert office().verify(issued.code, issued.number, "000000") == port.Stranger()
    assert isinstance(office().issue(order), port.Refusal)


def test_answers_without_proof_are_unknown(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = read_settings.settings().fiscal
    order = replace(ORDER, request_no=ids.new_id("rc"))
    guessed = http_office.HttpOffice(replace(account, secret="guessed"))
    nowhere = http_office.HttpOffice(replace(account, base_url="http://127.0.0.1:1"))
    for line in (guessed, nowhere):
        assert isinstance(line.issue(order), port.Unknown)
        assert isinstance(line.void(order.request_no, "退款"), port.Unknown)
        assert isinstance(line.verify("1", "2", "3"), port.Unknown)
    monkeypatch.setattr("payments.fiscal.http_office.clock.wire_seconds", lambda: 1.0)
    assert isinstance(http_office.HttpOffice(account).issue(order), port.Unknown)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, b"[]"), (200, b"not json"), (200, b"{}"), (500, b"{}"), (302, b"{}"), (401, b'{"error": "SIGN_ERROR"}'),
        (200, b'{"code": "9901022", "number": "0000000001", "check_code": "656aa9", "reference": "r"}'),
        (200, b'{"code": "99010226", "number": 1, "check_code": "656aa9", "reference": "r"}'),
        (200, b'{"code": "99010226", "number": "0000000001", "check_code": "656\\n9", "reference": "r"}'),
        (200, b'{"result": "valid", "amount_fen": "100"}'), (200, b'{"state": "issued"}'),
    ],
)  # fmt: skip
def test_answers_of_a_wrong_shape_are_unknown(town: Any, status: int, said: bytes) -> None:
    with answering(status, said) as base_url:
        line = http_office.HttpOffice(replace(read_settings.settings().fiscal, base_url=base_url))
        assert isinstance(line.issue(ORDER), port.Unknown)
        assert isinstance(line.void("rc-unknown", "退款"), port.Unknown)
        assert isinstance(line.verify("99010226", "0000000001", "656aa9"), port.Unknown)


@pytest.mark.parametrize("guess", ["", "guessed"])
def test_only_a_signed_answer_is_believed(town: Any, guess: str) -> None:
    said = b'{"code": "99010226", "number": "0000000001", "check_code": "656aa9", "reference": "r"}'
    with answering(200, said, guess) as base_url:
        line = http_office.HttpOffice(replace(read_settings.settings().fiscal, base_url=base_url))
        assert isinstance(line.issue(ORDER), port.Unknown if guess else port.Issued)
