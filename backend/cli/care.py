"""Commands for the daily care of the town: look, explain, repeat, move the demo's clock."""

import re
from collections.abc import Callable
from datetime import timedelta

import click
from sqlalchemy import text

import courier
import notifications
import payments
from backend import booking, cases, catalogue
from backend.kernel import clock
from backend.runtime import boot, relay, worker
from backend.runtime.settings import settings
from backend.store import chores, journal, outbox
from backend.store.unit import SYSTEM, Unit, run_unit

BOOKS: tuple[Callable[[Unit], list[str]], ...] = (
    catalogue.check_books,
    cases.check_books,
    booking.check_books,
    payments.check_books,
    courier.check_books,
    notifications.check_books,
)
_DISTANCE = re.compile(r"([+-]\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.command("check")
def check() -> None:
    """Look for orphans, broken books, altered journals and dead letters; exits 1 when anything is found."""
    boot.must_be_fit()
    findings = run_unit(all_findings)
    for finding in findings:
        click.echo(finding)
    click.echo(f"{len(findings)} findings")
    raise SystemExit(1 if findings else 0)


@click.command("explain")
@click.argument("case")
def explain(case: str) -> None:
    """Explain every clock and date of CASE (its number or id)."""
    boot.must_be_fit()
    click.echo(run_unit(lambda u: cases.explain(u, case)))


@click.command("relay-once")
def relay_once() -> None:
    """Deliver every event that is due now."""
    boot.must_be_fit()
    click.echo(f"{relay.relay_all()} deliveries")


@click.command("revive")
@click.option("--ear", default="", help="Only the dead letters of this ear.")
@click.option("--event", "event_id", default=0, help="Only those of this event.")
def revive(ear: str, event_id: int) -> None:
    """Make dead letters due again."""
    boot.must_be_fit()
    click.echo(
        f"{run_unit(lambda u: outbox.revive(u.session, clock.wire_now(), ear, event_id))} letters are due again"
    )


@click.command("resend")
@click.argument("message_id")
def resend(message_id: str) -> None:
    """Send a failed message again."""
    boot.must_be_fit()
    run_unit(lambda u: notifications.resend(u, message_id, SYSTEM))
    click.echo(f"{message_id} is due again")


@click.command("chores")
@click.option("--run", "name", default="", help="Run this chore now.")
def show_chores(name: str) -> None:
    """Show when every chore ran last and runs next."""
    boot.must_be_fit()
    if name:
        if name not in worker.all_chores():
            raise click.ClickException(f"there is no chore {name}")
        click.echo(f"{name}: {worker.run_chore(name)} done")
        return
    known = {row.name: row for row in run_unit(lambda u: chores.all_chores(u.session, clock.wire_now()))}
    for chore in sorted(worker.all_chores()):
        row = known.get(chore)
        last = f"{row.finished_at:%H:%M:%S}" if row and row.finished_at else "never"
        trouble = f"  {row.last_error}" if row and row.last_error else ""
        click.echo(f"{chore:32} last {last:9} done {row.done_last if row else 0}{trouble}")


@click.command("clock")
@click.argument("distance", required=False)
@click.option("--reset", is_flag=True, help="Back to the present.")
def move_clock(distance: str | None, *, reset: bool) -> None:
    """Show the business clock, or move it by DISTANCE such as +3d, +90m (never in production)."""
    if settings().town.is_production:
        raise click.ClickException("production does not move its clock")
    if reset:
        clock.reset()
    elif distance:
        found = _DISTANCE.fullmatch(distance)
        if found is None:
            raise click.ClickException("write a distance such as +3d, +2h, +90m or -1d")
        clock.advance(timedelta(**{_UNITS[found[2]]: int(found[1])}))
    click.echo(f"{clock.local(clock.now()):%Y-%m-%d %H:%M:%S} in Shanghai")


def all_findings(u: Unit) -> list[str]:
    """Everything in the town that contradicts itself; empty when all is in order."""
    findings = [finding for books in BOOKS for finding in books(u)]
    matters = u.session.execute(text("SELECT id FROM store_stream ORDER BY id")).scalars().all()
    findings += [broken for matter in matters if (broken := journal.verify_chain(u.session, matter))]
    dead = outbox.backlog(u.session)[outbox.DEAD]
    return findings + ([f"outbox: {dead} dead letters"] if dead else [])


COMMANDS = (check, explain, relay_once, revive, resend, show_chores, move_clock)
