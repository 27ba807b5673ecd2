"""Consent: to which words, when, through which channel. An outdated text is no consent."""

from sqlalchemy.dialects.postgresql import insert

from backend.kernel import clock
from backend.people import wording
from backend.people.models import Consent
from backend.people.problems import ConsentOutdated
from backend.people.views import ConsentText, ConsentView
from backend.store.unit import Unit


def require_current(scope: str, version: str) -> ConsentText:
    """The current text, if this is its version. Raises ConsentOutdated, ConsentUnknown."""
    current = wording.consent_text(scope)
    if version != current.version:
        raise ConsentOutdated(version=current.version)
    return current


def give_consent(u: Unit, person_id: str, scope: str, version: str, channel: str) -> None:
    """Record that the person agreed to the current text. Raises ConsentOutdated, ConsentUnknown."""
    agreed = require_current(scope, version)
    row = insert(Consent).values(
        person_id=person_id,
        scope=scope,
        version=version,
        digest=agreed.digest,
        given_at=clock.now(),
        channel=channel,
    )
    u.session.execute(row.on_conflict_do_nothing(index_elements=["person_id", "scope", "version"]))


def consents_of(u: Unit, person_id: str) -> list[ConsentView]:
    """Everything the person agreed to, newest first."""
    rows = u.session.query(Consent).filter(Consent.person_id == person_id).order_by(Consent.id.desc())
    return [ConsentView(r.scope, r.version, r.digest, r.given_at, r.channel) for r in rows]
