"""Authentic news that we cannot use: kept with its reason, put on the finance office's list, and told to the log."""

import logging

from backend.contracts import MoneyUnexplained, Notice
from backend.kernel import clock, ids
from backend.runtime.metrics import SET_ASIDE
from backend.store.unit import Unit
from payments.channels.port import REFERENCE
from payments.models import Payment, SetAside
from payments.subjects import provider_actor

log = logging.getLogger(__name__)
LISTED = ("unknown", "mismatch", "impossible")
"""Verdicts that somebody must look into. Others tell of money that waits on a list of its own."""
_KINDS = {
    "it comes from another channel": "other_channel",
    "it speaks of another merchant": "other_merchant",
    "no usable amount, or another amount in no words of ours": "no_amount",
    "another transaction under the same number": "second_transaction",
    "less went back than we know of": "less_returned",
    "and other money is on its way": "returned_twice",
}
"""By how the reason ends. The others are named after what they are about."""
_MOST_FEN = 2**63 - 1


def set_aside(u: Unit, notice: Notice, verdict: str, why: str, payment: Payment | None = None) -> None:
    """Keep the notice with a verdict ("unknown", "mismatch", "impossible") and raise an alarm to staff."""
    notice_id = u.verdict(notice, verdict, why)
    matter, payment_id = notice_id, ""
    if payment is not None:
        matter, payment_id = payment.matter, payment.id
        facts = {"notice": notice_id, "verdict": verdict}
        u.note(matter, payment_id, "money_unexplained", by=provider_actor(notice.provider), facts=facts)
    u.record(MoneyUnexplained(matter, payment_id, notice_id))
    kind = kind_of(notice, verdict, why)
    if verdict in LISTED:
        u.add(_listed(notice, notice_id, verdict, kind, payment_id or None))
    u.after_commit(lambda: _tell(notice.provider, notice_id, verdict, kind, payment_id))


def repeated(u: Unit, notice: Notice, why: str) -> None:
    """The same fact in another envelope: nothing to do, nobody to alarm."""
    u.verdict(notice, "duplicate", why)


def kind_of(notice: Notice, verdict: str, why: str) -> str:
    """What is wrong with the news, by the names of `wording.NEWS_WHY`."""
    for ending, kind in _KINDS.items():
        if why.endswith(ending):
            return kind
    about = "refund" if notice.trigger.startswith("refund_") else "payment"
    if verdict in ("unknown", "impossible"):
        return f"{about}_{verdict}"
    return f"{about}_amount" if why == "another amount" else "other"


def _listed(notice: Notice, notice_id: str, verdict: str, kind: str, payment_id: str | None) -> SetAside:
    told = notice.amount_fen
    reference = str(notice.facts.get(REFERENCE) or "").replace("\0", "")[:64]
    return SetAside(
        id=ids.new_id("nw"),
        notice_id=notice_id,
        heard_at=clock.now(),
        channel=notice.provider,
        verdict=verdict,
        kind=kind,
        number=notice.subject[:80],
        reference=reference or None,
        amount_fen=told if type(told) is int and abs(told) <= _MOST_FEN else None,
        payment_id=payment_id,
    )


def _tell(provider: str, notice_id: str, verdict: str, kind: str, payment_id: str) -> None:
    SET_ASIDE.labels(provider, kind).inc()
    told = {"provider": provider, "notice": notice_id, "verdict": verdict, "kind": kind}
    log.warning("news of money was set aside", extra=told | {"payment": payment_id})
