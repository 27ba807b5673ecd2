"""How long a payer whose callback was lost waits until the town knows: every callback is dropped on its way.

Sixty payers open a payment, pay after as long as people take, and close the page. Simulators, worker and scheduler
run as in a town; only the sweep's own questions, on its ladder, can find the money. The figure is wire time from the
payer's yes to the commit that makes the payment paid.
"""

import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

import payments
from backend.kernel import clock, ids
from backend.store import engine
from backend.store.unit import Actor
from benchmarks.frame import Report
from benchmarks.generators import BadRun
from benchmarks.stage import Stage, with_providers
from town import processes

PAYERS, SEED = 60, 20_261
OPENS_WITHIN_S, PAYS_WITHIN_S = 15.0, (2.0, 30.0)
READY_S, PATIENCE_S = 40.0, 150.0
CELERY = ("-m", "celery", "-A", "wsgi:celery_app")
WORKER = (*CELERY, "worker", "-P", "solo", "--without-gossip", "--without-mingle", "-Q", "chores")
NEWS = (("wxpay", "transaction"), ("alipay", "trade"))


@dataclass(frozen=True, slots=True)
class Payer:
    """One payer's story, drawn in advance: when the page is opened, and how long the yes takes."""

    channel: str
    opens_at: float
    thinks_for: float


@dataclass(frozen=True, slots=True)
class Outside:
    """The hands of people in the simulated world."""

    url: str

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/control{path}", json=body, timeout=20)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told


def run(place: Stage, report: Report) -> None:
    draw = random.Random(SEED)
    stories = [
        Payer(channel, draw.uniform(0, OPENS_WITHIN_S), draw.uniform(*PAYS_WITHIN_S))
        for channel in ("wechat_pay", "alipay")
        for _ in range(PAYERS // 2)
    ]
    with with_providers(place) as (_, url), _town_around(place, url):
        outside = Outside(url)
        for provider, verb in NEWS:
            outside.post("/faults", {"provider": provider, "verb": verb, "kind": "drop", "times": 10_000})
        begun = clock.monotonic()
        with ThreadPoolExecutor(max_workers=PAYERS) as crowd:
            paid = dict(crowd.map(lambda story: _pay(outside, story, begun), stories))
        waited = sorted(_waited(paid))
    report.say(f"{len(waited)} payments healed, longest {waited[-1]:.1f} s")
    report.figure("p50_s", waited[len(waited) // 2])
    report.figure("p95_s", waited[int(len(waited) * 0.95)], wanted="<=60")


def _pay(outside: Outside, story: Payer, begun: float) -> tuple[str, float]:
    """Open, think, say yes, close the page; returns the payment and the wire time of the yes."""
    clock.sleep(max(0.0, begun + story.opens_at - clock.monotonic()))
    is_wechat = story.channel == "wechat_pay"
    known = outside.post("/wechat/login" if is_wechat else "/alipay/login", {})
    account = str(known["openid"] if is_wechat else known["open_id"])
    person, case = ids.new_id("ps"), ids.new_id("cs")
    order = payments.pay(
        lambda u: payments.open_payment(
            u, subject=payments.subject_of_case(case), matter=case, person_id=person, payee="BZ-BENCH",
            amount_fen=8_000, channel=story.channel, title="不动产登记费", by=Actor("citizen", person),
        ),
        lambda _u, _platform: account,
    )  # fmt: skip
    clock.sleep(story.thinks_for)
    said = {"decision": "approve"}
    if is_wechat:
        outside.post("/wxpay/pay", said | {"openid": account, "params": dict(order.parameters)})
    else:
        outside.post("/alipay/pay", said | {"trade_no": order.parameters["tradeNO"]})
    return order.payment_id, clock.wire_seconds()


def _waited(paid: dict[str, float]) -> list[float]:
    """Seconds from each yes to the journal's line of it; raises BadRun when one stays silent."""
    asked = """
        SELECT array_agg(subject), array_agg(extract(epoch FROM heard_at)::float8) FROM store_journal
        WHERE subject = ANY(%s) AND trigger = 'succeeded'
    """
    until = clock.monotonic() + PATIENCE_S
    while clock.monotonic() < until:
        row = engine.ask(asked, (list(paid),))
        if row is not None and row[0] is not None and len(row[0]) == len(paid):
            return [heard_at - paid[name] for name, heard_at in zip(row[0], row[1], strict=True)]
        clock.sleep(0.5)
    raise BadRun(f"not every payment was healed within {PATIENCE_S:.0f} s")


@contextlib.contextmanager
def _town_around(place: Stage, url: str) -> Iterator[None]:
    """Simulators, one worker for the chores and the scheduler, as `make run` starts them."""
    port = url.rpartition(":")[2]
    world = ["-m", "simulators", "--port", port, "--state", str(place.providers), "--base-url", url]
    beat = [*CELERY, "beat", "--pidfile=", f"--schedule={place.folder / 'schedule'}"]
    with contextlib.ExitStack() as stack:
        stack.enter_context(_running(world))
        _await(lambda: requests.get(f"{url}/control/faults", timeout=2).ok)
        stack.enter_context(_running(WORKER))
        stack.enter_context(_running(beat))
        _await(_has_swept)
        yield


def _has_swept() -> bool:
    asked = "SELECT count(*) FROM store_chore WHERE name = 'payments.sweep' AND finished_at IS NOT NULL"
    row = engine.ask(asked)
    return row is not None and row[0] > 0


def _await(true: Callable[[], bool]) -> None:
    until = clock.monotonic() + READY_S
    while clock.monotonic() < until:
        with contextlib.suppress(requests.RequestException):
            if true():
                return
        clock.sleep(0.2)
    raise BadRun("the town around the benchmark did not open")


@contextlib.contextmanager
def _running(words: Sequence[str]) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    with subprocess.Popen([sys.executable, *words], stdout=quiet, stderr=quiet) as process:
        try:
            yield
        finally:
            processes.end(process, signal.SIGTERM, 10)
