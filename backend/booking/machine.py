"""The life of an appointment, and of what stands beside it: a place in the queue, a release, a wait, a block."""

from backend.contracts import (
    BlockDecided,
    BookingBlocked,
    BookingCancelled,
    BookingCheckedIn,
    BookingConfirmed,
    BookingDisplaced,
    BookingLapsed,
    BookingMissed,
    BookingMoved,
    BookingServed,
    EntryDrawn,
    PlaceOffered,
    WaitEnded,
)
from backend.kernel.machine import Machine, Move

HELD, CONFIRMED, CHECKED_IN, CALLED, SERVED = "held", "confirmed", "checked_in", "called", "served"
LAPSED, CANCELLED, MISSED, LEFT = "lapsed", "cancelled", "missed", "left"
LIVE = (HELD, CONFIRMED, CHECKED_IN, CALLED)
COMING = (CONFIRMED, CHECKED_IN, CALLED)

BOOKING = Machine(
    "booking",
    HELD,
    [
        Move(HELD, "confirmed", CONFIRMED, "预约成功", BookingConfirmed),
        Move(HELD, "lapsed", LAPSED, "超时未确认，时段已释放", BookingLapsed),
        Move(HELD, "cancelled", CANCELLED, "已取消保留的时段", BookingCancelled),
        Move(CONFIRMED, "cancelled", CANCELLED, "预约已取消", BookingCancelled),
        Move(CONFIRMED, "refused", CANCELLED, "急办原因未获认可，预约已取消", BookingCancelled),
        Move(
            CONFIRMED,
            "move_held",
            CONFIRMED,
            "已为改期保留新时段",
            why="the old place stands until it is sure",
        ),
        Move(
            CONFIRMED, "move_dropped", CONFIRMED, "未改期，原时段不变", why="nothing has changed for anybody"
        ),
        Move(CONFIRMED, "moved", CONFIRMED, "预约已改期", BookingMoved),
        Move(CONFIRMED, "displaced", CONFIRMED, "原时段停办，已为您保留新时段", BookingDisplaced),
        Move(CONFIRMED, "checked_in", CHECKED_IN, "已到现场签到", BookingCheckedIn),
        Move(CONFIRMED, "missed", MISSED, "未按预约时间到场", BookingMissed),
        Move(CHECKED_IN, "called", CALLED, "已叫号", why="the screen and the phone show it"),
        Move(CALLED, "recalled", CALLED, "再次叫号", why="the screen and the phone show it"),
        Move(CALLED, "passed", CHECKED_IN, "过号，重新排队", why="the screen and the phone show it"),
        Move(CALLED, "transferred", CHECKED_IN, "转到其他窗口排队", why="the screen and the phone show it"),
        Move(CALLED, "served", SERVED, "现场办理完毕", BookingServed),
        Move(CHECKED_IN, "served", SERVED, "现场办理完毕", BookingServed),
        Move(CHECKED_IN, "left", LEFT, "签到后未办理", BookingMissed),
        Move(CALLED, "left", LEFT, "叫号后未办理", BookingMissed),
    ],
    {
        HELD: "待确认",
        CONFIRMED: "已预约",
        CHECKED_IN: "已签到",
        CALLED: "已叫号",
        SERVED: "已完成",
        LAPSED: "已失效",
        CANCELLED: "已取消",
        MISSED: "未到场",
        LEFT: "未办离开",
    },
    frozenset({SERVED, LAPSED, CANCELLED, MISSED, LEFT}),
)

TICKET = Machine(
    "ticket",
    "waiting",
    [
        Move("waiting", "called", "called", "已叫号", why="the screen and the phone show it"),
        Move("called", "recalled", "called", "再次叫号", why="the screen and the phone show it"),
        Move("called", "passed", "waiting", "过号，重新排队", why="the screen and the phone show it"),
        Move("called", "transferred", "waiting", "转到其他窗口排队", why="the screen and the phone show it"),
        Move("called", "finished", "finished", "办理完毕", why="the booking tells it"),
        Move("called", "absent", "absent", "多次叫号未到", why="the booking tells it"),
        Move("waiting", "finished", "finished", "未经叫号办理完毕", why="the booking tells it"),
        Move("waiting", "left", "left", "离开了队伍", why="the booking tells it"),
        Move("called", "left", "left", "叫号后离开", why="the booking tells it"),
    ],
    {"waiting": "排队中", "called": "已叫号", "finished": "已办完", "absent": "未应号", "left": "已离开"},
    frozenset({"finished", "absent", "left"}),
)

RELEASE = Machine(
    "release",
    "announced",
    [
        Move("announced", "closed", "closed", "报名截止", why="whoever entered is told of the outcome"),
        Move(
            "announced",
            "called_off",
            "called_off",
            "本次放号取消",
            why="whoever entered is told of the outcome",
        ),
        Move("closed", "drawn", "drawn", "摇号结果已公布", why="whoever entered is told of the outcome"),
        Move("closed", "opened", "opened", "开始按顺序放号", why="the queue shows it"),
        Move(
            "closed", "called_off", "called_off", "本次放号取消", why="whoever entered is told of the outcome"
        ),
    ],
    {
        "announced": "报名中",
        "closed": "已截止",
        "drawn": "已摇号",
        "opened": "放号中",
        "called_off": "已取消",
    },
    frozenset({"drawn", "opened", "called_off"}),
)

ENTRY = Machine(
    "entry",
    "entered",
    [
        Move("entered", "withdrawn", "withdrawn", "取消了报名", why="it is the citizen's own act"),
        Move("queued", "withdrawn", "withdrawn", "退出了排队", why="it is the citizen's own act"),
        Move("withdrawn", "entered_again", "entered", "重新报名", why="it is the citizen's own act"),
        Move("entered", "queued", "queued", "已排入放号队列", why="the queue shows it"),
        Move("queued", "served", "served", "已约到时段", why="the booking tells it"),
        Move("queued", "ended", "ended", "放号已结束", why="the queue shows it"),
        Move("entered", "won", "won", "中签", EntryDrawn),
        Move("entered", "lost", "lost", "未中签", EntryDrawn),
        Move("entered", "called_off", "called_off", "本次放号取消", EntryDrawn),
        Move("queued", "called_off", "called_off", "本次放号取消", EntryDrawn),
    ],
    {
        "entered": "已报名",
        "withdrawn": "已退出",
        "queued": "排队中",
        "served": "已约到",
        "ended": "已结束",
        "won": "中签",
        "lost": "未中签",
        "called_off": "已取消",
    },
    frozenset({"served", "ended", "won", "lost", "called_off"}),
)

WAIT = Machine(
    "wait",
    "waiting",
    [
        Move("waiting", "offered", "offered", "有空位，已为您保留", PlaceOffered),
        Move("offered", "passed", "waiting", "未确认，空位已让给下一位", why="the lapsed booking tells it"),
        Move("offered", "taken", "taken", "候补成功", why="the confirmed booking tells it"),
        Move("offered", "left", "left", "退出候补", why="it is the citizen's own act"),
        Move("waiting", "rehoused", "taken", "已保留其他时段", why="the displaced booking tells it"),
        Move("waiting", "left", "left", "退出候补", why="it is the citizen's own act"),
        Move("waiting", "ended", "ended", "候补已结束，未等到空位", WaitEnded),
    ],
    {"waiting": "候补中", "offered": "待确认", "taken": "已候补到", "left": "已退出", "ended": "已结束"},
    frozenset({"taken", "left", "ended"}),
)

BLOCK = Machine(
    "block",
    "active",
    [
        Move("active", "begun", "active", "多次未到场，暂停预约", BookingBlocked),
        Move("active", "appealed", "appealed", "提出了申诉", why="the department's list shows it"),
        Move("appealed", "lifted", "lifted", "申诉成立，恢复预约", BlockDecided),
        Move("appealed", "upheld", "upheld", "申诉不成立", BlockDecided),
    ],
    {"active": "暂停预约", "appealed": "申诉中", "lifted": "已恢复", "upheld": "维持暂停"},
    frozenset({"lifted", "upheld"}),
)
