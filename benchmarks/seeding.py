"""Seeds: people with sessions through the product's own doors, and bulk rows by plain SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from backend import people
from backend.kernel import clock
from backend.store import engine, vault
from backend.store.unit import Unit, run_unit


@dataclass(frozen=True, slots=True)
class Citizen:
    """Somebody with an open session; the token is good for fifteen minutes."""

    person_id: str
    token: str


_PERSON = text("""
    INSERT INTO people_person (id, state, name, id_no, phone, number_blind, phone_blind, created_at, seen_at,
        verified_at, verified_by)
    VALUES (:id, 'verified', :name, :number, :phone, :number_blind, :phone_blind, :at, :at, :at, 'authority')
    ON CONFLICT DO NOTHING
""")


def citizens(count: int) -> list[Citizen]:
    """Verified people, numbered from 0, each with a fresh session."""
    return run_unit(lambda u: [_citizen(u, number) for number in range(count)])


def _citizen(u: Unit, number: int) -> Citizen:
    person_id, at = f"ps-{number:026d}", clock.wire_now()
    id_no, phone = f"341699{number:012d}", f"139{number:08d}"
    u.session.execute(
        _PERSON,
        {
            "id": person_id,
            "at": at,
            "name": vault.seal("people_person.name", person_id, "测试甲"),
            "number": vault.seal("people_person.id_no", person_id, id_no),
            "phone": vault.seal("people_person.phone", person_id, phone),
            "number_blind": vault.blind("people_person.id_no", id_no),
            "phone_blind": vault.blind("people_person.phone", phone),
        },
    )
    return Citizen(person_id, people.open_session(u, "citizen", person_id, "wechat").access_token)


_FILLED = """
    SELECT quote_ident(relname) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
"""


def execute(statements: Sequence[str]) -> None:
    """Run bulk statements, each in a transaction of its own and as long as it takes; then vacuum and analyse.

    Tables without rows are let be, as autovacuum would: one that is known to be empty has its foreign keys checked
    by reading it whole, on every connection that planned the check then, however large it grows.
    """
    for statement in statements:
        with engine.engine().begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text(statement))
    with engine.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        filled = connection.execute(text(_FILLED)).scalars().all()
        connection.execute(text(f"VACUUM ANALYZE {', '.join(filled)}"))
        connection.execute(text("CHECKPOINT"))
        connection.execute(text("RESET statement_timeout"))
