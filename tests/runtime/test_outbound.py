import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from backend.runtime import logs, outbound
from backend.runtime.outbound import Answer, Garbled, OutsideError, Refused, Silent, Telephone, Unreachable
from backend.store.unit import unit
from tests.runtime.windows import served

NAME = "test.bank"
SECRET = "11010519491231002X and 13800138000"


class Bank:
    """A provider that answers as told and counts its calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, bytes]] = []
        self.status, self.body = "200 OK", b"fine"
        self.hold = threading.Event()
        self.hold.set()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        self.calls.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"], body))
        self.hold.wait(10)
        start(self.status, [("Content-Type", "text/plain"), ("X-Bank", "yes"), ("Location", "/elsewhere")])
        return [self.body]


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def telephone(bank: Bank) -> Iterator[Telephone]:
    with served(bank) as base_url:  # type: ignore[arg-type]
        yield Telephone(NAME, base_url + "/", timeout=(1.0, 0.3))
        bank.hold.set()


def refusing() -> Telephone:
    """Nobody listens at this port."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    return Telephone(NAME, f"http://127.0.0.1:{port}")


def test_an_answer_below_500_is_an_answer(bank: Bank, telephone: Telephone) -> None:
    answer = telephone.request("POST", "/pay", params={"a": "1"}, data=b"x=1", headers={"X-Mine": "1"})
    assert (answer.status, answer.text, answer.headers["X-Bank"]) == (200, "fine", "yes")
    assert bank.calls == [("POST", "/pay", "a=1", b"x=1")]
    bank.status = "404 NOT FOUND"
    assert telephone.request("GET", "/pay").status == 404


def test_a_redirection_is_not_followed(bank: Bank, telephone: Telephone) -> None:
    bank.status = "302 FOUND"
    assert telephone.request("GET", "/pay").status == 302
    assert len(bank.calls) == 1


def test_an_answer_that_never_comes_is_silence(bank: Bank, telephone: Telephone) -> None:
    bank.hold.clear()
    with pytest.raises(Silent) as caught:
        telephone.request("POST", "/pay")
    assert (caught.value.permanent, caught.value.happened) == (False, "unknown")
    assert len(bank.calls) == 1, "and it is not repeated in secret"


def test_trouble_of_the_provider_is_silence(bank: Bank, telephone: Telephone) -> None:
    bank.status = "503 AWAY"
    with pytest.raises(Silent, match="answered 503"):
        telephone.request("POST", "/pay")


def test_a_line_cut_in_the_middle_is_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:

        def hang_up() -> None:
            connection, _ = door.accept()
            connection.recv(1000)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(Silent):
            Telephone(NAME, f"http://127.0.0.1:{door.getsockname()[1]}").request("POST", "/pay")
        thread.join()


@pytest.mark.parametrize("address", ["refused", "http://no-such-host.invalid", "http://[bad", "nothing"])
def test_a_call_that_never_arrived_is_unreachable(address: str) -> None:
    telephone = refusing() if address == "refused" else Telephone(NAME, address)
    with pytest.raises(Unreachable) as caught:
        telephone.request("POST", "/pay")
    assert (caught.value.permanent, caught.value.happened) == (False, "no")


def test_the_line_is_cut_after_five_failures_and_mended_by_one_success(
    bank: Bank, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "OPEN_SECONDS", 0.3)
    bank.status = "500 BROKEN"
    for _ in range(outbound.FAILURES_TO_OPEN):
        with pytest.raises(Silent):
            telephone.request("GET", "/")
    with pytest.raises(Unreachable, match="not called"):
        telephone.request("GET", "/")
    assert len(bank.calls) == 5, "a dead provider is left in peace"
    bank.status = "200 OK"
    threading.Event().wait(0.35)
    assert telephone.request("GET", "/").status == 200
    assert telephone.request("GET", "/").status == 200


def test_one_trial_at_a_time_goes_to_a_provider_that_may_be_back(
    bank: Bank, telephone: Telephone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "OPEN_SECONDS", 0.2)
    state = outbound.breaker(NAME)
    for _ in range(outbound.FAILURES_TO_OPEN):
        state.note(well=False)
    threading.Event().wait(0.25)
    assert state.may_call()
    assert not state.may_call()
    state.note(well=False)
    assert not state.may_call()


def test_a_refusal_does_not_wear_the_line_out() -> None:
    for _ in range(2 * outbound.FAILURES_TO_OPEN):
        with pytest.raises(Refused), outbound.guard(NAME):
            raise Refused(NAME, "no", "NOT_ENOUGH")
    assert outbound.breaker(NAME).may_call()


def test_the_line_of_one_provider_is_not_that_of_another() -> None:
    for _ in range(outbound.FAILURES_TO_OPEN):
        outbound.breaker(NAME).note(well=False)
    assert not outbound.breaker(NAME).may_call()
    assert outbound.breaker("test.post").may_call()
    outbound.reset_breakers()
    assert outbound.breaker(NAME).may_call()


def test_nobody_calls_while_a_transaction_is_open(ground: str, bank: Bank, telephone: Telephone) -> None:
    with pytest.raises(RuntimeError, match="while a transaction is open"), unit():
        telephone.request("GET", "/")
    assert bank.calls == []


def test_an_sdk_with_its_own_http_ends_the_same_way() -> None:
    with pytest.raises(Silent), outbound.guard(NAME):
        raise requests.ReadTimeout
    with pytest.raises(Unreachable), outbound.guard(NAME):
        raise requests.ConnectTimeout
    assert outbound.breaker(NAME).failures == 2
    with outbound.guard(NAME):
        pass
    assert outbound.breaker(NAME).failures == 0


@pytest.mark.parametrize(("trouble", "calls"), [(Silent, 2), (Unreachable, 2), (Garbled, 2), (Refused, 1)])
def test_only_what_may_come_right_is_tried_again(trouble: type[OutsideError], calls: int) -> None:
    tried: list[int] = []

    def call() -> Answer:
        tried.append(1)
        raise trouble(NAME, "no")

    with pytest.raises(trouble):
        outbound.retrying(call)
    assert len(tried) == calls


def test_the_second_try_may_succeed() -> None:
    tried: list[int] = []

    def call() -> Answer:
        tried.append(1)
        if len(tried) == 1:
            raise Silent(NAME, "once")
        return Answer(200, {}, b"")

    assert outbound.retrying(call).status == 200


def test_what_is_said_outside_never_reaches_the_log(
    bank: Bank, telephone: Telephone, caplog: pytest.LogCaptureFixture
) -> None:
    bank.status = "500 BROKEN"
    with caplog.at_level(logging.DEBUG, "backend"), pytest.raises(Silent):
        telephone.request("POST", "/pay", params={"id_no": SECRET}, data=SECRET.encode())
    assert [record.message for record in caplog.records if record.name == outbound.__name__] == [
        "outside call failed"
    ]
    form = logs._Scrubbing("%(message)s")
    for record in caplog.records:
        assert "13800138000" not in form.format(record)


def test_a_log_line_is_scrubbed_whole() -> None:
    form = logs._Scrubbing("%(at)s %(levelname)s %(message)s %(request_id)s", json_ensure_ascii=False)
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "call of %s", (SECRET,), info)
    record.phone = "13800138000"
    record.header = "Bearer abc.def-ghi"
    line = form.format(record)
    for private in ("11010519491231002X", "13800138000", "abc.def-ghi"):
        assert private not in line
    assert "110105********002X" in line
    assert "138****8000" in line
