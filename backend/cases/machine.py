"""The life of a case as a table of moves (STANDARDS §2); everything else is derived from it.

A draft lives on the citizen's device: the first row of a case is written by its submission.
"""

from backend.contracts import (
    CaseAccepted,
    CaseDecided,
    CaseDelivered,
    CaseExtended,
    CaseFinished,
    CaseNotAccepted,
    CasePaused,
    CaseReopened,
    CaseResubmitted,
    CaseResumed,
    CaseSubmitted,
    CaseWithdrawn,
    CorrectionLapsed,
    CorrectionRequested,
    PreReviewPassed,
)
from backend.kernel.machine import Machine, Move

CASE = Machine(
    name="case",
    start="draft",
    moves=(
        Move("draft", "submitted", "submitted", "提交了申请", CaseSubmitted),
        Move("submitted", "correction_requested", "correcting", "一次性告知补正内容", CorrectionRequested),
        Move("submitted", "preapproved", "preapproved", "预审通过", PreReviewPassed),
        Move("submitted", "accepted", "accepted", "申请已受理", CaseAccepted),
        Move("submitted", "deemed_accepted", "accepted", "逾期未告知，依法视为受理", CaseAccepted),
        Move("submitted", "not_accepted", "not_accepted", "申请不予受理", CaseNotAccepted),
        Move("submitted", "withdrawn", "withdrawn", "撤回了申请", CaseWithdrawn),
        Move("correcting", "resubmitted", "submitted", "提交了补正材料", CaseResubmitted),
        Move("correcting", "lapsed", "closed", "逾期未补正，办理终止", CorrectionLapsed),
        Move("correcting", "withdrawn", "withdrawn", "撤回了申请", CaseWithdrawn),
        Move("closed", "reopened", "correcting", "重新打开，继续补正", CaseReopened),
        Move("preapproved", "accepted", "accepted", "核验原件后受理", CaseAccepted),
        Move("preapproved", "correction_requested", "correcting", "核验后告知补正内容", CorrectionRequested),
        Move("preapproved", "not_accepted", "not_accepted", "核验后不予受理", CaseNotAccepted),
        Move("preapproved", "withdrawn", "withdrawn", "撤回了申请", CaseWithdrawn),
        Move("accepted", "review_started", "reviewing", "开始审查", why="the timeline tells it"),
        Move("accepted", "extended", "accepted", "办理期限延长", CaseExtended),
        Move("accepted", "withdrawn", "withdrawn", "撤回了申请", CaseWithdrawn),
        Move("reviewing", "paused", "special", "进入特别程序，暂停计时", CasePaused),
        Move("reviewing", "extended", "reviewing", "办理期限延长", CaseExtended),
        Move("reviewing", "granted", "granted", "作出准予的决定", CaseDecided),
        Move("reviewing", "denied", "denied", "作出不予的决定", CaseDecided),
        Move("reviewing", "withdrawn", "withdrawn", "撤回了申请", CaseWithdrawn),
        Move("special", "resumed", "reviewing", "特别程序结束，恢复计时", CaseResumed),
        Move("special", "withdrawn", "withdrawn", "撤回了申请", CaseWithdrawn),
        Move("granted", "finished", "finished", "办理结果已制作完成", CaseFinished),
        Move("denied", "finished", "finished", "决定书已制作完成", CaseFinished),
        Move("finished", "delivered", "delivered", "办理结果已送达", CaseDelivered),
    ),
    says={
        "draft": "草稿",
        "submitted": "预审中",
        "correcting": "待补正",
        "preapproved": "预审通过",
        "accepted": "已受理",
        "reviewing": "审查中",
        "special": "特别程序",
        "granted": "准予",
        "denied": "不予",
        "finished": "已办结",
        "delivered": "已送达",
        "not_accepted": "不予受理",
        "withdrawn": "已撤回",
        "closed": "已终止",
    },
    terminal=frozenset({"delivered", "not_accepted", "withdrawn"}),
)

OPEN_STATES = CASE.states - CASE.terminal - {"draft", "closed"}
RUNNING_STATES = frozenset({"accepted", "reviewing"})
"""The legal clock runs in these; in `special` it stands still."""
