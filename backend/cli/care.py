"""Commands for the daily care of the town: look, explain, repeat, move the demo's clock."""

import re
from collections.abc import Callable
from datetime import timedelta

import click

import courier
import notifications
import payments
from backend import booking, cases, catalogue
from backend.kernel import clock
from backend.runtime import boot, relay, worker
from backend.runtime.settings import settings
from backend.store import chores, journal, lean, outbox
from backend.store.unit import SYSTEM, Unit, run_unit

BOOKS: tuple[Callable[[Unit], list[str]], ...] = (
    catalogue.check_books,
    cases.check_books,
    booking.check_books,
    payments.check_books,
    courier.check_books,
    notifications.check_books,
)
WARNINGS: tuple[Callable[[Unit], list[str]], ...] = (booking.warnings, payments.warnings)
_DISTANCE = re.compile(r"([+-]\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@click.command("check")
def check() -> None:
    """Look for orphans, broken books, altered journals and dead letters; exits 1 when anything is found.

    Warnings are of what is sound and still wants somebody to see to it; they do not change the exit code.
    """
    boot.must_be_fit()
    findings = run_unit(all_findings)
    warnings = [warning for look in WARNINGS for warning in run_unit(look)]
    for finding in findings:
        click.echo(finding)
    for warning in warnings:
        click.echo(f"warning: {warning}")
    click.echo(f"{len(findings)} findings" + (f", {len(warnings)} warnings" if warnings else ""))
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
        _do_now(name)
        return
    known = _known_chores()
    for chore in sorted(worker.all_chores()):
        row = known.get(chore)
        last = f"{row.finished_at:%H:%M:%S}" if row and row.finished_at else "never"
        coming = f"{row.next_at:%H:%M:%S}" if row and row.next_at else "soon"
        trouble = f"  {row.last_error}" if row and row.last_error else ""
        click.echo(f"{chore:32} last {last:9} next {coming:9} done {row.done_last if row else 0}{trouble}")


def _do_now(name: str) -> None:
    if name not in worker.all_chores():
        raise click.ClickException(f"there is no chore {name}")
    done, row = worker.run_chore(name), _known_chores()[name]
    if row.running:
        raise click.ClickException(f"{name} is being done by a worker just now")
    if row.last_error:
        raise click.ClickException(f"{name} failed: {row.last_error}")
    click.echo(f"{name}: {done} done")


def _known_chores() -> dict[str, chores.ChoreView]:
    return {row.name: row for row in run_unit(lambda u: chores.all_chores(u.session, clock.wire_now()))}


@click.command("clock", context_settings={"ignore_unknown_options": True})  # -1d is a distance
@click.argument("distance", required=False)
@click.option("--reset", is_flag=True, help="Back to the present.")
def move_clock(distance: str | None, *, reset: bool) -> None:
    """Show the business clock, or move it by DISTANCE such as +3d, +90m (never in production)."""
    if settings().town.is_production:
        raise click.ClickException("production does not move its clock")
    if reset:
        clock.reset()
    elif distance:
        _advance(distance)
    click.echo(f"{clock.local(clock.now()):%Y-%m-%d %H:%M:%S} in Shanghai")


def _advance(distance: str) -> None:
    if settings().town.clock_file is None:
        raise click.ClickException("TOWN_CLOCK_FILE is not set: the move would end with this command")
    found = _DISTANCE.fullmatch(distance)
    if found is None:
        raise click.ClickException("write a distance such as +3d, +2h, +90m or -1d")
    try:
        clock.advance(timedelta(**{_UNITS[found[2]]: int(found[1])}))
    except (OverflowError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def all_findings(u: Unit) -> list[str]:
    """Everything in the town that contradicts itself; empty when all is in order."""
    # The books of a city take longer to read than any request may.
    lean.execute(u.session, "SET LOCAL statement_timeout = 0")
    findings = [finding for books in BOOKS for finding in books(u)]
    matters = journal.every_matter(u.session)
    findings += [broken for matter in matters if (broken := journal.verify_chain(u.session, matter))]
    dead = outbox.backlog(u.session)[outbox.DEAD]
    return findings + ([f"outbox: {dead} dead letters"] if dead else [])


COMMANDS = (check, explain, relay_once, revive, resend, show_chores, move_clock)
