"""Lives of those the town knows: citizens, staff, riders, and the keys of departments' systems."""

from backend.contracts import PersonJoined, PersonRegistered
from backend.kernel.machine import Machine, Move

_QUIET = "concerns only the holder, who is told by the answer to the request"

PERSON = Machine(
    name="person",
    start="visitor",
    moves=(
        Move("visitor", "phone_proven", "reachable", "验证了手机号", why=_QUIET),
        Move("reachable", "phone_proven", "reachable", "更换了手机号", why=_QUIET),
        Move("verified", "phone_proven", "verified", "更换了手机号", why=_QUIET),
        Move("visitor", "identity_verified", "verified", "在窗口完成实名登记", PersonRegistered),
        Move("reachable", "identity_verified", "verified", "完成实名登记", PersonRegistered),
        Move("visitor", "joined", "joined", "并入同一人的登记", PersonJoined),
        Move("reachable", "joined", "joined", "并入同一人的登记", PersonJoined),
    ),
    says={"visitor": "未留手机", "reachable": "已留手机", "verified": "已实名", "joined": "已并入"},
    terminal=frozenset({"joined"}),
)

STAFF = Machine(
    name="staff",
    start="invited",
    moves=(
        Move("invited", "enrolled", "active", "绑定了动态口令", why=_QUIET),
        Move("invited", "disabled", "disabled", "停用账号", why=_QUIET),
        Move("active", "disabled", "disabled", "停用账号", why=_QUIET),
        Move("active", "invited_again", "invited", "重新绑定动态口令", why=_QUIET),
        Move("disabled", "invited_again", "invited", "恢复账号", why=_QUIET),
    ),
    says={"invited": "待绑定", "active": "在用", "disabled": "已停用"},
)

RIDER = Machine(
    name="rider",
    start="active",
    moves=(
        Move("active", "suspended", "suspended", "暂停派件", why=_QUIET),
        Move("suspended", "reinstated", "active", "恢复派件", why=_QUIET),
    ),
    says={"active": "在岗", "suspended": "已暂停"},
)

SYSTEM_KEY = Machine(
    name="system_key",
    start="unconfirmed",
    moves=(
        Move("unconfirmed", "confirmed", "active", "系统管理员确认启用", why=_QUIET),
        Move("unconfirmed", "disabled", "disabled", "停用密钥", why=_QUIET),
        Move("active", "replaced", "retiring", "启用了新密钥", why=_QUIET),
        Move("active", "disabled", "disabled", "停用密钥", why=_QUIET),
        Move("retiring", "disabled", "disabled", "停用密钥", why=_QUIET),
    ),
    says={"unconfirmed": "待确认", "active": "在用", "retiring": "将停用", "disabled": "已停用"},
    terminal=frozenset({"disabled"}),
)
