"""Somebody at the product's address who only listens: keeps every letter, answers as told."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Request, Response

from simulators.serving import Server


@dataclass(frozen=True)
class Letter:
    """One request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


def say_yes(letter: Letter) -> tuple[int, str]:
    """The answer that contents the provider who wrote."""
    answers = {
        "/callbacks/courier/kdniao": '{"Success":true,"EBusinessID":"","UpdateTime":"","Reason":""}',
        "/callbacks/payments/wechat_pay": "",
    }
    if letter.path.startswith("/callbacks/notifications/sms_aliyun/"):
        return 200, '{"code":0,"msg":"接收成功"}'
    return 200, answers.get(letter.path, "success")


@dataclass
class Listener:
    base_url: str = ""
    letters: list[Letter] = field(default_factory=list)
    answer: Callable[[Letter], tuple[int, str]] = say_yes
    _bell: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        letter = Letter(request.path, request.args.to_dict(), dict(request.headers), request.get_data())
        status, text = self.answer(letter)
        if request.method == "GET":
            text = letter.query.get("echostr", "")
        with self._bell:
            self.letters.append(letter)
            self._bell.notify_all()
        return Response(text, status)(environ, start_response)

    def forget(self) -> None:
        with self._bell:
            self.letters.clear()
            self.answer = say_yes

    def wait(self, count: int, path: str = "", seconds: float = 5.0) -> list[Letter]:
        """The letters to this path, once there are so many."""
        with self._bell:
            assert self._bell.wait_for(lambda: len(self._to(path)) >= count, seconds), (
                f"{len(self._to(path))} of {count} letters came"
            )
            return self._to(path)

    def none_more(self, count: int, seconds: float = 0.6) -> None:
        """Nothing but these letters comes within the time."""
        time.sleep(seconds)
        assert len(self.letters) == count

    def _to(self, path: str) -> list[Letter]:
        return [letter for letter in self.letters if letter.path.startswith(path)]


@contextmanager
def listening() -> Iterator[Listener]:
    server, listener = Server(0), Listener()
    listener.base_url = f"http://127.0.0.1:{server.server_port}"
    server.app = listener
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
