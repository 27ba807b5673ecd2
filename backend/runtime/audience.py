"""Who may stand at a window. A surface declares its audience; the town plan says who recognises it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Request

from backend.kernel.problems import Problem
from backend.store.unit import Actor

AUDIENCES = ("public", "citizen", "courier", "staff", "department", "provider")


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever is asking. `kind` is citizen, courier, staff, system or public."""

    kind: str
    id: str
    session_id: str = ""
    label: str = ""
    department_id: str | None = None
    region_code: str | None = None
    roles: frozenset[str] = frozenset()
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """The same one, as the journal names it."""
        return Actor(self.kind, self.id, self.label)


PUBLIC = Principal("public", "public")
Authenticator = Callable[[Request], Principal]
_authenticators: dict[str, Authenticator] = {}
_folded: dict[str, Authenticator] = {}
_standing: dict[str, str] = {}
_problems: dict[str, tuple[type[Problem], ...]] = {}


def recognise(
    audience: str,
    authenticator: Authenticator,
    problems: tuple[type[Problem], ...] = (),
    folded: Authenticator | None = None,
    standing: str | None = None,
) -> None:
    """Said once per audience by the town plan; `problems` are those the authenticator may raise.

    `folded` reads the token only: for reads that look at the session in their own statement, and for writes, which
    ask `standing` with their first one: an SQL condition over %(session)s and %(person)s, true while the session
    lives.
    """
    if audience not in AUDIENCES:
        raise ValueError(f"unknown audience {audience}")
    _authenticators[audience], _problems[audience] = authenticator, problems
    if folded is not None and standing is not None:
        _folded[audience], _standing[audience] = folded, standing


def problems_of(audience: str) -> tuple[type[Problem], ...]:
    """What recognising this audience may refuse with."""
    return _problems.get(audience, ())


def confirms_later(audience: str) -> bool:
    """Whether a write may read the token first and look at the session inside its unit."""
    return audience in _standing


def standing_of(audience: str) -> str:
    """The SQL condition that a write of this audience asks first."""
    return _standing.get(audience, "true")


def principal_of(audience: str, request: Request, *, folded: bool = False) -> Principal:
    """Who is asking; raises Unauthenticated (or a more exact problem) when the audience does not know them."""
    if audience in ("public", "provider"):
        return PUBLIC
    return (_folded if folded else _authenticators)[audience](request)
