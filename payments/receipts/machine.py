"""The life of a receipt: wanted with the money, issued by the receipt system, void once the money went back."""

from backend.contracts import ReceiptIssued, ReceiptVoided
from backend.kernel.machine import Machine, Move

WANTED, ISSUED, VOIDING, VOID = "wanted", "issued", "voiding", "void"
FAILED, STUCK = "failed", "stuck"

ASKABLE = (WANTED, VOIDING)
TROUBLED = (FAILED, STUCK)

_STAFF_LOOK = "it stands on the finance office's list"
_SOON = "its end is told within minutes"

RECEIPT = Machine(
    name="receipt",
    start=WANTED,
    moves=(
        Move(WANTED, "issued", ISSUED, "电子票据已开具", event=ReceiptIssued),
        Move(WANTED, "refused", FAILED, "电子票据未能开具，工作人员将处理", why=_STAFF_LOOK),
        Move(FAILED, "asked_again", WANTED, "重新申请开具电子票据", why=_SOON),
        Move(WANTED, "dropped", VOID, "款项已退回，无需开具电子票据", why="nobody ever held it"),
        *(
            Move(state, "recalled", VOIDING, "款项已退回，电子票据正在作废", why=_SOON)
            for state in (WANTED, FAILED, ISSUED)
        ),
        Move(VOIDING, "voided", VOID, "电子票据已作废", event=ReceiptVoided),
        Move(VOIDING, "refused", STUCK, "电子票据未能作废，工作人员将处理", why=_STAFF_LOOK),
        Move(STUCK, "asked_again", VOIDING, "重新申请作废电子票据", why=_SOON),
    ),
    says={
        WANTED: "开具中",
        ISSUED: "有效",
        FAILED: "未开具",
        VOIDING: "作废中",
        STUCK: "作废受阻",
        VOID: "已作废",
    },
    terminal=frozenset({VOID}),
)
