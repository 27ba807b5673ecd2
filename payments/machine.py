"""The three tables of moves of the payments bureau: a payment, a refund, a bill.

Money decides: a payment may succeed from every state in which the provider can outrun us, and money that
comes for a closed payment or a second time goes straight to `refunding`, never to `paid`.
"""

from backend.contracts import PaymentClosed, PaymentRefunded, PaymentSucceeded
from backend.kernel.machine import Machine, Move

CREATED, AWAITING, PAID = "created", "awaiting", "paid"
CLOSING, CLOSED, DISPUTED = "closing", "closed", "disputed"
REFUNDING, PARTLY_REFUNDED, REFUNDED = "refunding", "partly_refunded", "refunded"

LIVE = (CREATED, AWAITING)
OPEN = (CREATED, AWAITING, CLOSING)
HOLDING_MONEY = (PAID, REFUNDING, PARTLY_REFUNDED, REFUNDED, DISPUTED)

_TOLD_LATER = "PaymentRefunded tells it when the money is back"
_PHONE_KNOWS = "the payer's phone shows it"
_STAFF_KNOW = "staff did it, and the journal says so"

PAYMENT = Machine(
    name="payment",
    start=CREATED,
    moves=(
        Move(CREATED, "prepared", AWAITING, "等待支付，请尽快完成", why=_PHONE_KNOWS),
        *(Move(state, "succeeded", PAID, "支付成功", event=PaymentSucceeded) for state in OPEN),
        *(Move(state, "close_requested", CLOSING, "支付单正在关闭", why=_PHONE_KNOWS) for state in LIVE),
        *(Move(state, "closed", CLOSED, "支付单已关闭，未收款", event=PaymentClosed) for state in OPEN),
        *(Move(state, "overpaid", REFUNDING, "收到多余款项，将原路退回", why=_TOLD_LATER) for state in OPEN),
        Move(
            CLOSED,
            "paid_late",
            REFUNDING,
            "支付单关闭后才收到款项，将原路退回",
            why=_TOLD_LATER,
            correction=True,
        ),
        *(
            Move(state, "refund_requested", REFUNDING, "已发起退款", why=_TOLD_LATER)
            for state in (PAID, PARTLY_REFUNDED, REFUNDING)
        ),
        Move(REFUNDING, "returned_some", REFUNDING, "一笔退款已退回，其余仍在办理", event=PaymentRefunded),
        Move(REFUNDING, "returned_part", PARTLY_REFUNDED, "部分款项已退回", event=PaymentRefunded),
        Move(REFUNDING, "returned_whole", REFUNDED, "款项已全部退回", event=PaymentRefunded),
        Move(REFUNDING, "refund_failed", PAID, "退款未成功，款项仍在收款方", why=_STAFF_KNOW),
        Move(REFUNDING, "refund_failed_in_part", PARTLY_REFUNDED, "一笔退款未成功", why=_STAFF_KNOW),
        Move(PAID, "contested", DISPUTED, "这笔支付有争议，正在核实", why=_STAFF_KNOW),
        Move(DISPUTED, "cleared", PAID, "争议已核实，支付有效", why=_STAFF_KNOW),
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

REQUESTED, SENT, SUCCEEDED, FAILED = "requested", "sent", "succeeded", "failed"
UNDER_WAY = (REQUESTED, SENT)

_PAYMENT_TELLS = "the move of the payment beside it tells it"

REFUND = Machine(
    name="refund",
    start=REQUESTED,
    moves=(
        Move(REQUESTED, "sent", SENT, "退款已提交支付渠道", why="the channel answers within days"),
        *(Move(state, "succeeded", SUCCEEDED, "退款已到账", why=_PAYMENT_TELLS) for state in UNDER_WAY),
        *(
            Move(state, "failed", FAILED, "退款未成功，工作人员将处理", why=_PAYMENT_TELLS)
            for state in UNDER_WAY
        ),
    ),
    says={REQUESTED: "待退款", SENT: "退款中", SUCCEEDED: "已到账", FAILED: "未成功"},
    terminal=frozenset({SUCCEEDED, FAILED}),
)

DUE, BILL_PAID, WITHDRAWN = "due", "paid", "withdrawn"

BILL = Machine(
    name="bill",
    start=DUE,
    moves=(
        Move(DUE, "window_handled", DUE, "窗口已处理，可以在线缴款", why=_STAFF_KNOW),
        Move(DUE, "paid", BILL_PAID, "缴款完成", why="PaymentSucceeded tells it"),
        Move(DUE, "withdrawn", WITHDRAWN, "缴款通知已撤回，无需缴款", why=_STAFF_KNOW),
        Move(BILL_PAID, "returned", DUE, "款项已退回，缴款通知重新待缴", why="PaymentRefunded tells it"),
    ),
    says={DUE: "待缴款", BILL_PAID: "已缴款", WITHDRAWN: "已撤回"},
    terminal=frozenset({WITHDRAWN}),
)
