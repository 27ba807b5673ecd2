"""Commands that open a town: schema, real data, the first administrator, and the people of the demo."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

import payments
from backend import booking, catalogue, people
from backend.migrations import commands as schema
from backend.runtime import boot, worker
from backend.runtime.settings import settings
from backend.store.unit import SYSTEM, Unit, run_unit

DATA = Path(__file__).parents[2] / "data"


@click.command("migrate")
def migrate() -> None:
    """Bring the database to the newest schema."""
    click.echo("schema brought to the head" if schema.migrate() else "schema is at the head")
    boot.must_be_fit()
    processes = int(os.environ.get("WEB_WORKERS") or 2) + len(worker.LANES)
    if (said := boot.check_pool(processes, settings().town.database_pool)) is None:
        return
    if settings().town.is_production:
        raise click.ClickException(said)
    click.echo(f"warning: {said}", err=True)


@click.command("open")
def open_town() -> None:
    """Load the real data (and, in a demo, its people); repeating it changes nothing."""
    boot.must_be_fit()
    run_unit(catalogue.load_base_data)
    catalogue.open_catalogue(SYSTEM)
    run_unit(load_offices)
    if not settings().town.is_production:
        run_unit(people.settle_demo_people)
    click.echo("the town is open")


@click.command("accounts")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def accounts(*, as_json: bool) -> None:
    """Print the demo's accounts (never in production)."""
    if settings().town.is_production:
        raise click.ClickException("a production town has no demo accounts")
    boot.must_be_fit()
    demo = asdict(run_unit(people.settle_demo_people))
    if as_json:
        click.echo(json.dumps(demo, ensure_ascii=False))
        return
    for one in demo["staff"]:
        click.echo(f"{one['account']:16} {one['password']:18} TOTP {one['totp_secret']}  {one['label']}")
    for one in demo["riders"]:
        click.echo(f"{one['phone']:16} {one['carrier']:18} {one['point']}")
    for one in demo["systems"]:
        click.echo(f"{one['key_id']:35} {one['secret']}  {one['department_id']}")


@click.command("create-admin")
@click.argument("account")
@click.password_option(help="At least ten characters of three kinds.")
def create_admin(account: str, password: str) -> None:
    """Make the first administrator, who must enrol a TOTP authenticator at the first login."""
    boot.must_be_fit()
    enrolment = run_unit(lambda u: people.create_admin(u, account, password))
    click.echo(f"administrator {enrolment.account} made")
    click.echo(f"enrolment token (valid until {enrolment.expires_at:%Y-%m-%d %H:%M} UTC): {enrolment.token}")


def load_offices(u: Unit) -> None:
    """Sites with their slots, and in a demo its payees and bills; repeating it changes nothing."""
    booking.load_sites(u, _read("sites.json"))
    booking.open_slots(u)
    if not settings().town.is_production:
        payments.load_payees(u, _read("payees.json")["payees"], SYSTEM)
        payments.load_bills(u, _read("bills.json")["bills"], SYSTEM)


def _read(name: str) -> Any:
    return json.loads((DATA / name).read_text("utf-8"))


COMMANDS = (migrate, open_town, accounts, create_admin)
