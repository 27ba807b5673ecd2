"""The ledger of grants: how many cards of each template a WeChat user still allows us to send.

The platform has no interface to ask for it, so we count. Whoever queues a card takes its grant at once, so that
two messages never rely on the same one; a refusal by the platform (43101) shows that the count was wrong and
levels it.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from backend import people
from backend.kernel import clock, ids
from backend.kernel.problems import FieldError, InvalidInput
from backend.store import vault
from backend.store.unit import Unit
from notifications import wording
from notifications.kinds import KINDS
from notifications.models import OPENID, Grant
from notifications.problems import NoWeChatAccount
from notifications.views import GrantView, TemplateView


def card_templates() -> tuple[TemplateView, ...]:
    """Every card template with the kinds of message it serves, for the client's question to the user."""
    found: dict[str, list[str]] = {}
    for kind in _with_cards():
        found.setdefault(wording.card(kind).template_id, []).append(kind)
    return tuple(
        TemplateView(template_id, wording.card(kinds[0]).title, tuple(kinds))
        for template_id, kinds in found.items()
    )


def report_grants(u: Unit, person_id: str, accepted: Sequence[str]) -> tuple[GrantView, ...]:
    """The phone says what its user has just accepted: kinds or template ids, one accept each.

    Raises InvalidInput for a name that is none, NoWeChatAccount.
    """
    wanted = _template_ids(accepted)
    openid = people.contact_of(u, person_id).openids.get("wechat")
    if openid is None:
        raise NoWeChatAccount
    titles = {view.template_id: view.title for view in card_templates()}
    views = []
    for template_id in sorted(wanted):
        grant = _locked(u, openid, template_id)
        grant.told_by_phone += 1
        _changed(grant)
        views.append(GrantView(template_id, titles[template_id], grant.left))
    return tuple(views)


def platform_says_accepted(u: Unit, openid: str, template_id: str) -> None:
    """The platform pushed an accept: most likely the one the phone reports as well."""
    grant = _locked(u, openid, template_id)
    grant.told_by_platform += 1
    _changed(grant)


def take(u: Unit, openid: str, template_id: str) -> bool:
    """Take one grant for a message; False when none is left."""
    grant = _find(u, openid, template_id)
    if grant is None or grant.left < 1:
        return False
    grant.used += 1
    grant.changed_at = clock.now()
    return True


def give_back(u: Unit, openid: str, template_id: str) -> None:
    """The message certainly did not use its grant."""
    grant = _find(u, openid, template_id)
    if grant is not None and grant.used:
        grant.used -= 1
        grant.changed_at = clock.now()


def mark_gone(u: Unit, openid: str, template_id: str) -> None:
    """The user closed the template, or the platform says that nothing is left: all counts level out."""
    grant = _find(u, openid, template_id)
    if grant is None:
        return
    level = max(grant.told_by_phone, grant.told_by_platform, grant.used)
    grant.told_by_phone = grant.told_by_platform = grant.used = level
    grant.changed_at = grant.gone_at = clock.now()


def _with_cards() -> list[str]:
    return [kind for kind in KINDS if wording.has(kind, wording.WECHAT)]


def _template_ids(names: Sequence[str]) -> set[str]:
    """Several kinds may share a template: one accept of it is one accept."""
    known = {kind: wording.card(kind).template_id for kind in _with_cards()}
    known |= {template_id: template_id for template_id in known.values()}
    strange = [number for number, name in enumerate(names) if name not in known]
    if strange:
        says = wording.say("grants", "strange")
        raise InvalidInput(errors=[FieldError(field=f"accepted.{n}", message=says) for n in strange])
    return {known[name] for name in names}


def _changed(grant: Grant) -> None:
    grant.changed_at, grant.gone_at = clock.now(), None


def _find(u: Unit, openid: str, template_id: str) -> Grant | None:
    blinds = vault.blinds(OPENID.place, openid)
    wanted = select(Grant).where(Grant.openid_blind.in_(blinds), Grant.template_id == template_id)
    return u.session.scalars(wanted.with_for_update().limit(1)).first()


def _locked(u: Unit, openid: str, template_id: str) -> Grant:
    """The row of this user and template, made when it is missing."""
    found = _find(u, openid, template_id)
    if found is not None:
        return found
    grant_id = ids.new_id("gr")
    row = insert(Grant).values(
        id=grant_id,
        openid=vault.seal(OPENID.place, grant_id, openid),
        openid_blind=vault.blind(OPENID.place, openid),
        template_id=template_id,
        told_by_phone=0,
        told_by_platform=0,
        used=0,
        changed_at=clock.now(),
    )
    u.session.execute(row.on_conflict_do_nothing())
    made = _find(u, openid, template_id)
    assert made is not None
    return made
