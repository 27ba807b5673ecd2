"""Looks for what contradicts itself in the bureau's books."""

from datetime import timedelta

from sqlalchemy import text

from backend.kernel import clock
from backend.runtime.settings import settings
from backend.store.unit import Unit
from notifications import drawing
from notifications.kinds import KINDS

_STUCK = timedelta(minutes=10)
_EXAMPLE_SITE = "zhangban.example"

_BROKEN = {
    "it is being sent for too long": "SELECT id FROM notifications_message"
    " WHERE state = 'sending' AND lease_until < :late",
    "it is unknown and nobody asks": "SELECT id FROM notifications_message WHERE state = 'unknown' AND ask_at IS NULL"
    " AND channel = 'sms_aliyun' AND asked = 0",
    "a code was kept after it went": "SELECT id FROM notifications_message WHERE kind LIKE 'code!_%' ESCAPE '!'"
    " AND content IS NOT NULL AND state IN ('sent', 'delivered', 'failed', 'expired')",
    "it arrived before it was written": "SELECT id FROM notifications_message WHERE delivered_at < queued_at",
    "it went out and is not in the inbox": """
        SELECT m.id FROM notifications_message m WHERE m.person_id IS NOT NULL AND m.channel <> 'inbox'
        AND NOT EXISTS (SELECT 1 FROM notifications_message i WHERE i.dedupe = m.dedupe AND i.kind = m.kind
                        AND i.person_id = m.person_id AND i.channel = 'inbox')""",
    "more grants were used than given": "SELECT id FROM notifications_grant"
    " WHERE used > greatest(told_by_phone, told_by_platform) OR used < 0",
    "its kind has no words": "SELECT DISTINCT kind FROM notifications_message WHERE NOT kind = ANY(:kinds)",
}


def check_books(u: Unit) -> list[str]:
    """Everything that contradicts itself; empty when the books are in order."""
    values = {"late": clock.wire_now() - _STUCK, "kinds": list(KINDS)}
    found = [
        f"notifications: {fault}: {where}"
        for fault, query in _BROKEN.items()
        for (where,) in u.session.execute(text(query), values)
    ]
    return found + _example_links()


def _example_links() -> list[str]:
    """Texts name the town's official site; the one in our files is an example and must not reach citizens."""
    if not settings().town.is_production:
        return []
    named = [kind for kind, entry in drawing.draw().items() if _EXAMPLE_SITE in str(entry)]
    return [f"notifications: the text still names {_EXAMPLE_SITE}: {kind}" for kind in named]
