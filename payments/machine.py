"""The three tables of moves of the payments bureau: a payment, a refund, a bill.

Money decides: a payment may succeed from every state in which the provider can outrun us. Late money counts while it
is still wanted; what nobody owes goes back by itself, and another sum than the one asked for is held until it is clear.
"""

from backend.contracts import (
    BillWithdrawn,
    PaymentClosed,
    PaymentRefunded,
    PaymentSucceeded,
    RefundApproved,
    RefundFailed,
    RefundListed,
    RefundRefused,
    RefundSubmitted,
    SurplusComes,
)
from backend.kernel.machine import Machine, Move

CREATED, AWAITING, PAID = "created", "awaiting", "paid"
CLOSING, CLOSED, DISPUTED = "closing", "closed", "disputed"
REFUNDING, PARTLY_REFUNDED, REFUNDED = "refunding", "partly_refunded", "refunded"

LIVE = (CREATED, AWAITING)
OPEN = (CREATED, AWAITING, CLOSING)
HOLDING_MONEY = (PAID, REFUNDING, PARTLY_REFUNDED, REFUNDED, DISPUTED)
RETURNABLE = (PAID, PARTLY_REFUNDED, REFUNDING)

_REFUND_TELLS = "the move of the refund beside it tells it"
_PHONE_KNOWS = "the payer's phone shows it"
_STAFF_KNOW = "staff did it, and the journal says so"
_OTHER_SUM = "收到的金额与应缴金额不一致，正在核实"

PAYMENT = Machine(
    name="payment",
    start=CREATED,
    moves=(
        Move(CREATED, "prepared", AWAITING, "等待支付，请尽快完成", why=_PHONE_KNOWS),
        *(Move(state, "succeeded", PAID, "支付成功", event=PaymentSucceeded) for state in OPEN),
        *(Move(state, "close_requested", CLOSING, "支付单正在关闭", why=_PHONE_KNOWS) for state in LIVE),
        *(Move(state, "closed", CLOSED, "支付单已关闭，未收款", event=PaymentClosed) for state in OPEN),
        *(
            Move(state, "overpaid", REFUNDING, "收到多余款项，将原路退回", event=SurplusComes)
            for state in (*OPEN, DISPUTED)
        ),
        *(Move(state, "mispaid", DISPUTED, _OTHER_SUM, event=SurplusComes) for state in OPEN),
        Move(
            CLOSED,
            "paid_late_honoured",
            PAID,
            "支付单关闭后款项到账，仍按支付成功办理",
            event=PaymentSucceeded,
            correction=True,
        ),
        Move(
            CLOSED,
            "paid_late",
            REFUNDING,
            "支付单关闭后才收到款项，将原路退回",
            event=SurplusComes,
            correction=True,
        ),
        Move(CLOSED, "mispaid", DISPUTED, _OTHER_SUM, event=SurplusComes, correction=True),
        *(
            Move(state, "refund_requested", REFUNDING, "已发起退款", why=_REFUND_TELLS)
            for state in RETURNABLE
        ),
        Move(DISPUTED, "given_back", REFUNDING, "款项将原路退回", why=_REFUND_TELLS),
        Move(REFUNDING, "returned_some", REFUNDING, "一笔退款已退回，其余仍在办理", event=PaymentRefunded),
        Move(DISPUTED, "returned_some", DISPUTED, "一笔退款已退回，其余仍在核实", event=PaymentRefunded),
        *(
            Move(state, "returned_part", PARTLY_REFUNDED, "部分款项已退回", event=PaymentRefunded)
            for state in RETURNABLE
        ),
        *(
            Move(state, "returned_whole", REFUNDED, "款项已全部退回", event=PaymentRefunded)
            for state in (*RETURNABLE, DISPUTED)
        ),
        Move(REFUNDING, "refund_failed", PAID, "退款未成功，款项仍在收款方", why=_REFUND_TELLS),
        Move(REFUNDING, "refund_failed_in_part", PARTLY_REFUNDED, "一笔退款未成功", why=_REFUND_TELLS),
        Move(REFUNDING, "surplus_stays", DISPUTED, "多余款项未能退回，正在核实", why=_REFUND_TELLS),
        Move(PAID, "contested", DISPUTED, "这笔支付有争议，正在核实", why=_STAFF_KNOW),
        Move(DISPUTED, "cleared", PAID, "争议已核实，支付有效", why=_STAFF_KNOW),
        Move(DISPUTED, "corrected", PAID, "金额已核实无误，支付成功", event=PaymentSucceeded),
    ),
    says={
        CREATED: "待发起",
        AWAITING: "待支付",
        PAID: "已支付",
        CLOSING: "关闭中",
        CLOSED: "已关闭",
        REFUNDING: "退款中",
        PARTLY_REFUNDED: "部分退款",
        REFUNDED: "已退款",
        DISPUTED: "有争议",
    },
    terminal=frozenset({CLOSED, REFUNDED}),
)

ASKED, SECOND, REFUSED, TAKEN_BACK = "asked", "second", "refused", "withdrawn"
REQUESTED, SENT, SUCCEEDED, FAILED = "requested", "sent", "succeeded", "failed"
STUCK = "stuck"
LISTED, SUBMITTED = "listed", "submitted"
UNDECIDED = (ASKED, SECOND)
UNDER_WAY = (REQUESTED, SENT, STUCK)
"""The channel brings the news of its end."""
AT_TREASURY = (LISTED, SUBMITTED)
UNSENT = (REQUESTED, LISTED)
PROMISED = (*UNDER_WAY, *AT_TREASURY)
"""Decided and not ended: the money is on its way back."""
COUNTED = (*UNDECIDED, *PROMISED, SUCCEEDED)
"""Whatever may still leave, or has left: together never more than came."""

_PAYMENT_TELLS = "the move of the payment beside it tells it"
_DAYS = "the channel answers within days"
_STAFF_SEE = "the desk counts it, and staff finish it with the channel"

REFUND = Machine(
    name="refund",
    start=ASKED,
    moves=(
        Move(ASKED, "owed", REQUESTED, "多余款项，无需审核，即将原路退回", why=_PAYMENT_TELLS),
        Move(ASKED, "seconded", SECOND, "初审通过，金额较大，等待另一人复核", why=_STAFF_KNOW),
        *(
            Move(state, "approved", REQUESTED, "退款申请已通过，即将原路退回", event=RefundApproved)
            for state in UNDECIDED
        ),
        *(
            Move(state, "listed", LISTED, "退款申请已通过，款项已入国库，已列入退付", event=RefundListed)
            for state in UNDECIDED
        ),
        Move(REQUESTED, "listed", LISTED, "款项已入国库，改由国库退付，已列入退付", event=RefundListed),
        *(Move(state, "refused", REFUSED, "退款申请未通过", event=RefundRefused) for state in UNDECIDED),
        *(Move(state, "taken_back", TAKEN_BACK, "退款申请已撤回", why=_PHONE_KNOWS) for state in UNDECIDED),
        Move(REQUESTED, "sent", SENT, "退款已提交支付渠道", why=_DAYS),
        *(
            Move(state, "stuck", STUCK, "退款异常，工作人员正在与支付渠道核实", why=_STAFF_SEE)
            for state in (REQUESTED, SENT)
        ),
        Move(LISTED, "submitted", SUBMITTED, "退付申请已提交国库", event=RefundSubmitted),
        *(
            Move(state, "succeeded", SUCCEEDED, "退款已到账", why=_PAYMENT_TELLS)
            for state in (*UNDER_WAY, SUBMITTED)
        ),
        *(
            Move(state, "failed", FAILED, "退款未成功，工作人员核实后将重新办理", event=RefundFailed)
            for state in PROMISED
        ),
        *(
            Move(state, "superseded", FAILED, "原退款已到账，不再重复退", why="the earlier refund tells it")
            for state in UNSENT
        ),
        # The channel said no, and the money went back all the same.
        Move(FAILED, "succeeded_after_all", SUCCEEDED, "退款已到账", why=_PAYMENT_TELLS, correction=True),
    ),
    says={
        ASKED: "待审核",
        SECOND: "待复核",
        REFUSED: "未通过",
        TAKEN_BACK: "已撤回",
        REQUESTED: "待退款",
        SENT: "退款中",
        STUCK: "退款异常",
        LISTED: "待退付",
        SUBMITTED: "退付中",
        SUCCEEDED: "已到账",
        FAILED: "未成功",
    },
    terminal=frozenset({REFUSED, TAKEN_BACK, SUCCEEDED, FAILED}),
)

DUE, BILL_PAID, WITHDRAWN = "due", "paid", "withdrawn"

BILL = Machine(
    name="bill",
    start=DUE,
    moves=(
        Move(DUE, "corrected", DUE, "缴款通知已更正，请按新的金额缴款", why=_STAFF_KNOW),
        Move(DUE, "window_handled", DUE, "窗口已处理，可以在线缴款", why=_STAFF_KNOW),
        Move(DUE, "paid", BILL_PAID, "缴款完成", why="PaymentSucceeded tells it"),
        Move(DUE, "withdrawn", WITHDRAWN, "缴款通知已撤回，无需缴款", event=BillWithdrawn),
        Move(
            BILL_PAID,
            "withdrawn_returned",
            WITHDRAWN,
            "款项已退回，缴款通知已撤回，无需再缴款",
            why="PaymentRefunded tells it",
        ),
        Move(BILL_PAID, "returned", DUE, "款项已退回，缴款通知重新待缴", why="PaymentRefunded tells it"),
    ),
    says={DUE: "待缴款", BILL_PAID: "已缴款", WITHDRAWN: "已撤回"},
    terminal=frozenset({WITHDRAWN}),
)
