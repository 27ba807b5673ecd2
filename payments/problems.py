"""What the payments bureau refuses, and what the payer does next.

Problem
├── Conflict
│   ├── FeeAlreadyPaid     somebody paid this
│   ├── PaymentOver        this payment is closed: begin a new one
│   ├── NotRefundable      no money of this payment is there to return
│   ├── RefundUnderReview  the payer has asked already, nobody has decided yet
│   ├── RefundDecided      somebody has decided, or it has moved on
│   ├── AnotherMustConfirm four eyes: the same person cannot say yes twice
│   ├── ReceiptNotReady    the receipt system has not numbered it yet
│   ├── BillNotDue         paid, or withdrawn by the department
│   ├── BillNumberTaken    the number stands on a bill that says something else, or was withdrawn
│   ├── NewsAlreadySeen    a colleague has looked at this news and said what it was
│   └── MustVisitWindow    the window first (HN-07), or too much for online channels
├── NotFound
│   ├── PaymentNotFound    absent, or somebody else's
│   └── BillNotFound       unknown number and wrong second factor look the same
└── InvalidInput
    ├── AmountOutOfRange
    ├── ChannelUnknown
    ├── PayerUnknown       the payer has no account with this channel
    └── RefundTooLarge
"""

from backend.kernel.problems import Conflict, InvalidInput, NotFound, members
from payments import wording


class FeeAlreadyPaid(Conflict):
    """The subject is settled by a payment."""

    slug = "fee-already-paid"
    title = "这笔费用已经支付，无需再付。"


class FeeNotDue(Conflict):
    """The matter asks for no money now."""

    slug = "fee-not-due"
    title = "这件事项目前没有需要缴纳的费用，请在办理进度中查看。"


class PaymentOver(Conflict):
    """The payment can no longer be paid."""

    slug = "payment-over"
    extras = members(state=str)
    title = "这笔支付单已经失效，请重新发起支付。"


class NotRefundable(Conflict):
    """Nothing was received, or it is contested."""

    slug = "not-refundable"
    extras = members(state=str, left_fen=int)
    title = "这笔支付目前不能退款，请先核对支付状态。"


class ReceiptNotReady(Conflict):
    """The receipt system has not given it a number yet."""

    slug = "receipt-not-ready"
    extras = members(state=str)
    title = "电子票据正在开具，请稍后再来下载。"


class RefundUnderReview(Conflict):
    """The payer's last question about this payment is still open."""

    slug = "refund-under-review"
    title = "这笔支付已有退款申请正在审核，请等审核结果出来后再申请。"


class RefundDecided(Conflict):
    """This refund is not where this step begins."""

    slug = "refund-decided"
    extras = members(state=str)
    title = "这笔退款已经处理到另一步，请刷新后查看。"


class AnotherMustConfirm(Conflict):
    """Above the threshold two different people say yes."""

    slug = "another-must-confirm"
    title = "退款金额较大，须由另一位工作人员复核。"


class BillNotDue(Conflict):
    """The bill is paid or withdrawn."""

    slug = "bill-not-due"
    extras = members(state=str)
    title = "这张缴款通知不需要缴款，请刷新后查看。"


class BillNumberTaken(Conflict):
    """Another bill, or one that was withdrawn, carries this notice number; `errors` names the fields that differ."""

    slug = "bill-number-taken"
    extras = members(errors=list[dict[str, str]])
    title = "这个缴款码已经用过，没有作任何改动：更正原通知请用更正接口，另开通知请换新的缴款码。"


class NewsAlreadySeen(Conflict):
    """Somebody has acknowledged this news."""

    slug = "news-already-seen"
    extras = members(seen_at=str)
    title = "这条渠道消息已经有人核实，请刷新后查看。"


class MustVisitWindow(Conflict):
    """A fine above 200 yuan before its window (HN-07), or more than may be paid online; `detail` says which."""

    slug = "must-visit-window"
    extras = members(window=dict[str, str])
    title = "这笔款项现在不能在线缴纳，请到指定窗口办理。"


class PaymentNotFound(NotFound):
    """Absent or foreign; both look the same."""


class BillNotFound(NotFound):
    """Unknown number or wrong second factor; nobody learns which."""

    slug = "bill-not-found"
    title = "没有查到缴款通知，请核对缴款码和验证信息。"


class AmountOutOfRange(InvalidInput):
    """Not a whole number of fen between one and the limit."""

    slug = "amount-out-of-range"
    title = f"金额不正确，或者超过单笔上限（{wording.LIMIT}），请核对后重新提交。"


class ChannelUnknown(InvalidInput):
    """No such payment channel."""

    slug = "payment-channel-unknown"
    title = "不支持这种支付方式，请选择微信支付或支付宝。"


class PayerUnknown(InvalidInput):
    """The payer never logged in through the platform of this channel."""

    slug = "payer-unknown"
    title = "请在对应的小程序内登录后，再用这种方式支付。"


class RefundTooLarge(InvalidInput):
    """More than what is left of the payment."""

    slug = "refund-too-large"
    extras = members(left_fen=int)
    title = "退款金额超过可退金额，请核对后重新提交。"
