"""An open town with everybody at work: the relay and all chores run in a thread beside the windows."""

import dataclasses
import threading
from collections.abc import Iterator

import pytest

from backend import booking, catalogue, people
from backend.cli import opening
from backend.kernel import clock
from backend.runtime import relay, worker
from backend.store.unit import SYSTEM, run_unit
from demo.world import World, to_office_hours

PAUSE_S = 0.05
BUSY = (
    "notifications.send",
    "courier.place_orders",
    "payments.sweep",
    "payments.refunds",
    "payments.receipts",
    "payments.reconcile",
    "booking.lapse_holds",
    "booking.offer_places",
    "booking.rehouse",
    "booking.tend_releases",
    "booking.finish_draws",
)


@pytest.fixture(scope="session")
def accounts(town) -> dict[str, list[dict[str, object]]]:  # type: ignore[no-untyped-def]
    """The demo's people, with the real data loaded."""
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    run_unit(opening.load_offices)
    return dataclasses.asdict(run_unit(people.settle_demo_people))


@pytest.fixture
def world(town, accounts) -> Iterator[World]:  # type: ignore[no-untyped-def]
    """The town as the demo knows it, at ten in the morning, with its workers at work."""
    closing = threading.Event()

    def work() -> None:
        while not closing.wait(PAUSE_S):
            relay.relay_all()
            for name in BUSY:
                worker.run_chore(name)

    to_office_hours()
    run_unit(booking.open_slots)
    hands = threading.Thread(target=work, daemon=True)
    hands.start()
    yield World(town.base_url, town.sim_url, accounts)
    closing.set()
    hands.join(30)
    clock.reset()
