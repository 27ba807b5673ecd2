"""The life of an appointment."""

from backend.contracts import (
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingLapsed,
    BookingMissed,
    BookingServed,
)
from backend.kernel.machine import Machine, Move

HELD, CONFIRMED, CHECKED_IN, SERVED = "held", "confirmed", "checked_in", "served"
LAPSED, CANCELLED, MISSED = "lapsed", "cancelled", "missed"
LIVE = (HELD, CONFIRMED, CHECKED_IN)

BOOKING = Machine(
    "booking",
    HELD,
    [
        Move(HELD, "confirmed", CONFIRMED, "预约成功", BookingConfirmed),
        Move(HELD, "lapsed", LAPSED, "超时未确认，时段已释放", BookingLapsed),
        Move(HELD, "cancelled", CANCELLED, "已取消保留的时段", BookingCancelled),
        Move(CONFIRMED, "cancelled", CANCELLED, "预约已取消", BookingCancelled),
        Move(CONFIRMED, "checked_in", CHECKED_IN, "已到现场签到", BookingCheckedIn),
        Move(CONFIRMED, "missed", MISSED, "未按预约时间到场", BookingMissed),
        Move(CHECKED_IN, "served", SERVED, "现场办理完毕", BookingServed),
    ],
    {
        HELD: "待确认",
        CONFIRMED: "已预约",
        CHECKED_IN: "已签到",
        SERVED: "已完成",
        LAPSED: "已失效",
        CANCELLED: "已取消",
        MISSED: "未到场",
    },
    frozenset({SERVED, LAPSED, CANCELLED, MISSED}),
)
