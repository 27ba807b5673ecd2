"""The plain news that nearly all news is: the whole sum for a payment of a case that nobody else pays, on time.

It is taken by the same verbs as any other (`settling`), only read and written in two round trips: with the keeping of
the notice the subject is held, and then the payment read and locked together with its journal's head; the rest goes
with the COMMIT.
Whatever is not plain is left to the ordinary way, which finds the locks already taken.
"""

from collections.abc import Sequence

from backend.contracts import Notice
from backend.store import book
from backend.store.unit import Question, Unit
from payments.channels.port import OURS
from payments.models import Payment

_HOLD = """
    SELECT pg_advisory_xact_lock(hashtextextended('payments:' || subject, 0)) FROM payments_payment
    WHERE number = %(number)s
"""
_COLUMNS = (
    "id", "state", "subject", "matter", "person_id", "owed_by", "payee", "channel", "product", "title", "amount_fen",
)  # fmt: skip
# A statement of its own: it must see what was done by whoever held the subject before.
_READ = f"""
    SELECT {", ".join(f"p.{name}" for name in _COLUMNS)}, head.seq, head.link
    FROM payments_payment p {book.HEAD.format(matter="p.matter")}
    WHERE p.number = %(number)s AND p.channel = %(provider)s AND p.amount_fen = %(came)s
      AND p.state IN ('created', 'awaiting', 'closing') AND p.subject LIKE 'case:%%' AND NOT EXISTS (
        SELECT FROM payments_payment kin WHERE kin.subject = p.subject AND kin.id <> p.id
          AND (kin.settles OR kin.state IN ('created', 'awaiting')))
    FOR UPDATE OF p, head
"""
_WRITE = """
    UPDATE payments_payment SET state = %(p_state)s, settles = %(p_settles)s, reference = %(p_reference)s,
        received_fen = %(p_received_fen)s, paid_at = %(p_paid_at)s
    WHERE id = %(p_id)s
"""


def questions(notice: Notice) -> Sequence[Question]:
    """What is asked first about plain news: nothing about any other."""
    if notice.trigger != "succeeded" or not notice.facts.get(OURS) or type(notice.amount_fen) is not int:
        return ()
    asked = {"number": notice.subject, "provider": notice.provider, "came": notice.amount_fen}
    return (_HOLD, asked), (_READ, asked)


def plain_payment(u: Unit, notice: Notice) -> Payment | None:
    """The payment that plain news is about, locked; not the session's own, so that `write_payment` must follow."""
    asked = questions(notice)
    row = u.ask_each(asked) if asked else None
    if row is None:
        return None
    *known, seq, link = row
    payment = Payment(**dict(zip(_COLUMNS, known, strict=True)))
    u.know_head(payment.matter, seq, bytes(link))
    return payment


def write_payment(u: Unit, payment: Payment) -> None:
    """Send what was changed of a plain payment with the unit's last statement."""
    names = ("id", "state", "settles", "reference", "received_fen", "paid_at")
    u.at_the_end(_WRITE, {f"p_{name}": getattr(payment, name) for name in names})
