"""The life of one message on one channel.

`sending` is committed before the telephone is lifted: a process that dies then leaves a message of which nobody
knows whether it went out, and that is `unknown`, asked about and never simply sent again. News of the platform
may outrun our own note of the call, so it is taken in every state in which the message can have gone out.
"""

from backend.contracts import MessageDead
from backend.kernel.machine import Machine, Move

QUEUED, SENDING, SENT, UNKNOWN = "queued", "sending", "sent", "unknown"
DELIVERED, FAILED, EXPIRED = "delivered", "failed", "expired"

_OWN = "the message's own book"
_TOLD = "the inbox holds it, and another channel carries it or nobody must know it"
_AWAY = (SENDING, SENT, UNKNOWN)

MESSAGE = Machine(
    name="message",
    start=QUEUED,
    moves=(
        Move(QUEUED, "shelved", DELIVERED, "已放入消息箱", why="the person reads it in the app"),
        Move(QUEUED, "claimed", SENDING, "正在发送", why=_OWN),
        Move(QUEUED, "expired", EXPIRED, "已过时，不再发送", why="what it speaks of is over"),
        Move(
            QUEUED, "withdrawn", EXPIRED, "所提醒的事有变化，不再发送", why="other news tell what has changed"
        ),
        Move(QUEUED, "delivered", DELIVERED, "已送达", why="the first sending arrived after all"),
        Move(SENDING, "put_back", QUEUED, "稍后再发", why="it certainly did not go out"),
        Move(SENDING, "taken", SENT, "已发出", why=_OWN),
        Move(SENDING, "lost", UNKNOWN, "发送平台没有回应，正在确认", why="counted, and asked about"),
        Move(UNKNOWN, "found", SENT, "已发出", why=_OWN),
        Move(UNKNOWN, "not_seen", QUEUED, "没有发出，重新发送", why="the platform never got it"),
        *(Move(state, "delivered", DELIVERED, "已送达", why=_OWN) for state in _AWAY),
        *(Move(state, "failed", FAILED, "没有送达", why=_TOLD) for state in (QUEUED, *_AWAY)),
        *(Move(state, "buried", FAILED, "没有送达", MessageDead) for state in (QUEUED, *_AWAY)),
        Move(FAILED, "delivered", DELIVERED, "已送达", why="late news puts it right", correction=True),
        Move(FAILED, "resent", QUEUED, "工作人员安排重发", why=_OWN, correction=True),
        Move(EXPIRED, "resent", QUEUED, "工作人员安排重发", why=_OWN, correction=True),
        Move(UNKNOWN, "resent", QUEUED, "工作人员安排重发", why=_OWN),
    ),
    says={
        QUEUED: "待发送",
        SENDING: "发送中",
        SENT: "已发出",
        UNKNOWN: "待确认",
        DELIVERED: "已送达",
        FAILED: "未送达",
        EXPIRED: "已过时",
    },
    terminal=frozenset({DELIVERED, FAILED, EXPIRED}),
)
