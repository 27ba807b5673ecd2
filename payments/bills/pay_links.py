"""Letting somebody else pay (代付): the owner of a debt hands on a code, good for a day and for this debt alone.

Whoever has the code may pay with an account of their own. The receipt is the owner's; money that goes back goes to
whoever paid it. A right code costs no tries, wrong ones are counted.
"""

import secrets
import unicodedata
from datetime import timedelta

from sqlalchemy import delete, select

from backend.kernel import clock, ids
from backend.store import vault
from backend.store.unit import Actor, Unit, run_unit
from payments import guesses, subjects, wording
from payments.bills.models import LINK_CODE, PayLink
from payments.bills.problems import PayLinkNotFound
from payments.bills.views import LinkFound, PayLinkMade, PayLinkView
from payments.models import Payment
from payments.problems import FeeAlreadyPaid

LIFE = timedelta(hours=24)
KEPT = timedelta(days=90)
CODE_LENGTH = 12
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Thirty-two that nobody takes for one another: sixty bits in twelve of them."""
_MISREAD = str.maketrans("OIL", "011")


def make_link(u: Unit, subject: str, matter: str, owner_id: str, by: Actor) -> PayLinkMade:
    """A code with which another may pay this debt; the one before it opens nothing any more.

    The caller has seen that the debt is the owner's and due. Raises FeeAlreadyPaid.
    """
    subjects.hold_subject(u, subject)
    if subjects.settling_payment(u, subject) is not None:
        raise FeeAlreadyPaid
    for former in _live(u, owner_id, subject):
        former.ended_at = clock.now()
    code = "".join(secrets.choice(_LETTERS) for _ in range(CODE_LENGTH))
    now = clock.now()
    link = PayLink(
        id=ids.new_id("pl"),
        subject=subject,
        owner_id=owner_id,
        code_blind=vault.blind(LINK_CODE, code),
        made_at=now,
        expires_at=now + LIFE,
    )
    u.add(link)
    u.note(matter, link.id, "pay_link_made", by=by, says=wording.PAY_LINK_MADE)
    u.flush()
    return PayLinkMade(link.id, code, link.expires_at)


def end_link(u: Unit, link_id: str, owner_id: str, by: Actor) -> PayLinkView:
    """The owner wants no more help: the code opens nothing, and payments others have begun with it are closed.

    Money that comes all the same still counts. Raises PayLinkNotFound: absent, or somebody else's.
    """
    seen = u.get(PayLink, link_id)
    if seen is None or seen.owner_id != owner_id:
        raise PayLinkNotFound
    subjects.hold_subject(u, seen.subject)
    link = u.get(PayLink, link_id, lock=True)
    if link is None:
        raise PayLinkNotFound
    if link.ended_at is None:
        link.ended_at = clock.now()
        for payment in subjects.live_payments(u, link.subject):
            if payment.owed_by == owner_id:
                subjects.request_closing(u, payment, by)
    return _view(link, _paid_by_another(u, link))


def links_of(u: Unit, owner_id: str) -> list[PayLinkView]:
    """The links somebody has made in these ninety days, newest first, with the payments they brought."""
    wanted = select(PayLink).where(PayLink.owner_id == owner_id).order_by(PayLink.id.desc()).limit(50)
    return [_view(link, _paid_by_another(u, link)) for link in u.session.scalars(wanted)]


def find_link(payer_id: str, code: str, sender: str = "") -> LinkFound:
    """The debt behind a code. Opens its own unit: failures count. Raises PayLinkNotFound, TooMany."""
    found = run_unit(lambda u: _try(u, payer_id, code, sender))
    if found is None:
        raise PayLinkNotFound
    return found


def hold_link(u: Unit, found: LinkFound) -> None:
    """Hold the debt, and let the code open it only if it has not ended since it was found. Raises PayLinkNotFound."""
    seen = u.get(PayLink, found.link_id)
    if seen is None:
        raise PayLinkNotFound
    subjects.hold_subject(u, seen.subject)
    link = u.get(PayLink, found.link_id, lock=True)
    if link is None or link.ended_at is not None or link.expires_at <= clock.now():
        raise PayLinkNotFound


def forget_old_links(u: Unit) -> None:
    """Drop links that ended ninety days ago."""
    u.session.execute(delete(PayLink).where(PayLink.expires_at <= clock.now() - KEPT))


def _try(u: Unit, payer_id: str, code: str, sender: str) -> LinkFound | None:
    keys = {"link-person": payer_id} | ({"link-sender": sender} if sender else {})
    counted = guesses.count_all(u, keys)
    wanted = select(PayLink).where(PayLink.code_blind.in_(vault.blinds(LINK_CODE, _tidy(code))))
    link = u.session.scalars(wanted).one_or_none()
    if link is None or link.ended_at is not None or link.expires_at <= clock.now():
        return None
    guesses.take_back(u, counted)
    bill_id, case_id = subjects.bill_in(link.subject), subjects.case_in(link.subject)
    return LinkFound(link.id, bill_id, case_id, link.owner_id, link.expires_at)


def _tidy(code: str) -> str:
    """A code as it was made, from what somebody typed."""
    plain = unicodedata.normalize("NFKC", code).upper()
    return "".join(letter for letter in plain if letter.isalnum()).translate(_MISREAD)


def _live(u: Unit, owner_id: str, subject: str) -> list[PayLink]:
    wanted = select(PayLink).where(
        PayLink.owner_id == owner_id, PayLink.subject == subject, PayLink.ended_at.is_(None)
    )
    return list(u.session.scalars(wanted.with_for_update()))


def _paid_by_another(u: Unit, link: PayLink) -> str | None:
    """The payment with which somebody else settled the owner's debt."""
    wanted = select(Payment.id).where(
        Payment.subject == link.subject, Payment.owed_by == link.owner_id, Payment.settles
    )
    return u.session.scalars(wanted).one_or_none()


def _view(link: PayLink, payment_id: str | None) -> PayLinkView:
    return PayLinkView(
        id=link.id,
        subject=link.subject,
        made_at=link.made_at,
        expires_at=link.expires_at,
        ended_at=link.ended_at,
        payment_id=payment_id,
    )
