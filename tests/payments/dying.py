"""A process that dies by kill -9 at a named place. Run by test_deaths.py with the environment of the open town.

python dying.py PLACE CHANNEL ACCOUNT SUBJECT MATTER PERSON
"""

import os
import signal
import sys
from typing import Any

import payments
import wsgi  # noqa: F401  (it wires the ears)
from backend.runtime import boot, relay
from backend.runtime.settings import settings
from backend.store.unit import Actor, Unit
from payments import asking, services, tasks


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(place: str) -> None:
    """Put the death where it is wanted."""
    places: dict[str, tuple[Any, str]] = {
        "before the telephone": (services, "prepare"),
        "before the ticket is kept": (services, "attach_ticket"),
        "before the channel is asked": (asking, "ask"),
        "before the answer is heard": (asking.callbacks, "hear"),
        "before the refund is sent": (asking, "ask_refund"),
        "before the refund is kept": (asking, "run_unit"),
        "before the news is heard": (relay.outbox, "mark_done"),
    }
    owner, name = places[place]
    setattr(owner, name, die)


def main(place: str, channel: str, account: str, subject: str, matter: str, person_id: str) -> None:
    boot.open_process(settings())
    die_at(place)
    if place in ("before the telephone", "before the ticket is kept"):
        payer = Actor("citizen", person_id)

        def open_it(u: Unit) -> payments.PaymentView:
            return payments.open_payment(
                u, subject=subject, matter=matter, person_id=person_id, payee="BZ-TEST", amount_fen=8000,
                channel=channel, title="不动产登记费 A/B=C&D", by=payer,
            )  # fmt: skip

        payments.pay(open_it, lambda _u, _platform: account)
    elif "news" in place:
        relay.relay_all()
    elif "refund" in place:
        tasks.sweep_refunds()
    else:
        tasks.sweep()


if __name__ == "__main__":
    main(*sys.argv[1:])
