"""The one way out. Every outside call has a time-out, leaves no transaction open, and ends in one of four ways:

    OutsideError
      +- Refused       the provider understood and said no         (permanent)
      +- Unreachable   the call never arrived                      (try again)
      +- Silent        it may or may not have happened             (ask, never assume)
      +- Garbled       an answer came that cannot be trusted       (unknown as well)

After several failures in a row a circuit breaker answers Unreachable at once, so that a dead provider does not
hold every thread for its full time-out.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

from backend.kernel import clock
from backend.runtime.metrics import OUTSIDE
from backend.store import unit

log = logging.getLogger(__name__)
TIMEOUT = (3.0, 10.0)
FAILURES_TO_OPEN = 5
OPEN_SECONDS = 10.0
CHUNK = 64 * 1024
DOWNLOAD_SECONDS = 900.0


class OutsideError(Exception):
    """A call outside did not end well. `permanent` is the only question a retry needs to ask."""

    permanent = False
    happened = "unknown"

    def __init__(self, telephone: str, message: str, code: str = "") -> None:
        super().__init__(f"{telephone}: {message}" + (f" [{code}]" if code else ""))
        self.telephone, self.message, self.code = telephone, message, code


class Refused(OutsideError):
    permanent = True
    happened = "no"


class Unreachable(OutsideError):
    happened = "no"


class Silent(OutsideError):
    pass


class Garbled(OutsideError):
    pass


@dataclass(slots=True)
class Breaker:
    """Opens after failures in a row; lets one trial through when its pause is over."""

    failures: int = 0
    open_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def may_call(self) -> bool:
        with self.lock:
            now = clock.monotonic()
            if self.failures < FAILURES_TO_OPEN:
                return True
            if now < self.open_until:
                return False
            self.open_until = now + OPEN_SECONDS
            return True

    def note(self, *, well: bool) -> None:
        with self.lock:
            self.failures = 0 if well else self.failures + 1
            if self.failures >= FAILURES_TO_OPEN:
                self.open_until = clock.monotonic() + OPEN_SECONDS


_breakers: dict[str, Breaker] = {}
_breakers_lock = threading.Lock()


def breaker(name: str) -> Breaker:
    with _breakers_lock:
        return _breakers.setdefault(name, Breaker())


def reset_breakers() -> None:
    """Forget all failures (tests, and a clerk who knows that the provider is back)."""
    with _breakers_lock:
        _breakers.clear()


@contextmanager
def guard(name: str) -> Iterator[None]:
    """Wrap a call of an SDK that brings its own HTTP: same breaker, same errors, no open transaction."""
    if unit.is_open():
        raise RuntimeError(f"{name} was called while a transaction is open")
    state = breaker(name)
    if not state.may_call():
        OUTSIDE.labels(name, "breaker").inc()
        raise Unreachable(name, "not called: it failed several times in a row")
    try:
        yield
    except OutsideError as error:
        _note(name, state, error)
        raise
    except requests.RequestException as error:
        translated = _translate(name, error)
        _note(name, state, translated)
        raise translated from error
    state.note(well=True)
    OUTSIDE.labels(name, "ok").inc()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Telephone:
    """Plain HTTP to one provider, connections kept alive per thread.

    An answer of 5xx is Silent: what was asked may have happened.
    """

    def __init__(self, name: str, base_url: str, timeout: tuple[float, float] = TIMEOUT) -> None:
        self.name, self.base_url, self.timeout = name, base_url.rstrip("/"), timeout
        self._local = threading.local()

    def request(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, data: bytes | Mapping[str, str] | None = None,
    ) -> Answer:  # fmt: skip
        """Call; returns any answer below 500. Raises Unreachable or Silent."""
        with guard(self.name):
            response = self._session().request(
                method,
                self.base_url + path,
                params=params,
                headers=headers,
                data=data,
                timeout=self.timeout,
                allow_redirects=False,
            )
            if response.status_code >= 500:
                raise Silent(self.name, f"answered {response.status_code}", str(response.status_code))
            return Answer(response.status_code, response.headers, response.content)

    def path_of(self, address: str) -> str:
        """The part of an address below ours. Raises Garbled when it lies somewhere else."""
        path = address.removeprefix(self.base_url)
        if path == address or not path.startswith("/"):
            raise Garbled(self.name, "an address that is not the provider's")
        return path

    def download(
        self, path: str, into: IO[bytes], *, most: int, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET a file piece by piece; a good answer's bytes are in `into`, none of them in the Answer.

        Raises Unreachable, Silent, and Garbled for a file of more than `most` bytes or one that drips.
        """
        end = clock.monotonic() + DOWNLOAD_SECONDS
        with (
            guard(self.name),
            self._session().get(
                self.base_url + path,
                headers=headers,
                timeout=self.timeout,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            if response.status_code >= 500:
                raise Silent(self.name, f"answered {response.status_code}", str(response.status_code))
            if response.status_code != 200:
                return Answer(response.status_code, response.headers, response.raw.read(CHUNK))
            for piece in response.iter_content(CHUNK):
                if into.tell() + len(piece) > most or clock.monotonic() > end:
                    raise Garbled(self.name, "a file that is larger or slower than any of ours")
                into.write(piece)
            return Answer(response.status_code, response.headers, b"")

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            adapter = HTTPAdapter(pool_connections=4, pool_maxsize=4, max_retries=0)
            session.mount("http://", adapter)
            session.mount("https://", adapter)
            self._local.session = session
        return session


def retrying(call: Callable[[], Answer], tries: int = 2) -> Answer:
    """Repeat a call that is safe to repeat (a question, or one with its own idempotency)."""
    for attempt in range(1, tries + 1):
        try:
            return call()
        except OutsideError as error:
            if error.permanent or attempt == tries:
                raise
            clock.sleep(0.2 * attempt)
    raise AssertionError("unreachable")


def _note(name: str, state: Breaker, error: OutsideError) -> None:
    state.note(well=isinstance(error, Refused))
    OUTSIDE.labels(name, type(error).__name__.lower()).inc()
    log.warning(
        "outside call failed", extra={"telephone": name, "outcome": type(error).__name__, "code": error.code}
    )


def _translate(name: str, error: requests.RequestException) -> OutsideError:
    connect = (
        requests.exceptions.ConnectTimeout,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
    )
    if isinstance(error, connect):
        return Unreachable(name, "could not connect")
    cause = error.args[0] if error.args else None
    if isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError):
        return Unreachable(name, "could not connect")  # refused, or its name is not known
    return Silent(name, f"no answer came ({type(error).__name__})")
