"""Who may stand at a window. A surface declares its audience; the town plan says who recognises it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flask import Request

from backend.kernel.problems import Problem
from backend.store.unit import Actor, Unit

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
Confirm = Callable[[Unit, Principal], None]
_authenticators: dict[str, Authenticator] = {}
_folded: dict[str, Authenticator] = {}
_confirms: dict[str, Confirm] = {}
_problems: dict[str, tuple[type[Problem], ...]] = {}


def recognise(
    audience: str,
    authenticator: Authenticator,
    problems: tuple[type[Problem], ...] = (),
    folded: Authenticator | None = None,
    confirm: Confirm | None = None,
) -> None:
    """Said once per audience by the town plan; `problems` are those the authenticator may raise.

    `folded` reads the token only: for reads that look at the session in their own statement, and for writes,
    which let `confirm` look at it in their own unit.
    """
    if audience not in AUDIENCES:
        raise ValueError(f"unknown audience {audience}")
    _authenticators[audience], _problems[audience] = authenticator, problems
    if folded is not None and confirm is not None:
        _folded[audience], _confirms[audience] = folded, confirm


def problems_of(audience: str) -> tuple[type[Problem], ...]:
    """What recognising this audience may refuse with."""
    return _problems.get(audience, ())


def confirms_later(audience: str) -> bool:
    """Whether a write may read the token first and look at the session inside its unit."""
    return audience in _confirms


def confirm(audience: str, u: Unit, principal: Principal) -> None:
    """Look at the session now; raises SessionEnded."""
    if audience in _confirms:
        _confirms[audience](u, principal)


def principal_of(audience: str, request: Request, *, folded: bool = False) -> Principal:
    """Who is asking; raises Unauthenticated (or a more exact problem) when the audience does not know them."""
    if audience in ("public", "provider"):
        return PUBLIC
    return (_folded if folded else _authenticators)[audience](request)
