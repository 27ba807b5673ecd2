"""What reconciliation refuses.

Problem
├── Conflict
│   ├── NothingToAsk           the channel cannot be asked: the number is none of ours, or its end is told
│   ├── SameHands              who decided first cannot be the second
│   └── CreditReferenceTaken   the bank's reference stands on another credit
└── NotFound
    └── NotInBooks             no such statement, difference, settlement or credit, or not within reach
"""

from backend.kernel.problems import Conflict, NotFound


class NothingToAsk(Conflict):
    """There is no payment or refund of ours behind the difference that the channel could be asked about."""

    slug = "nothing-to-ask"
    title = "这笔差异没有可以向渠道询问的支付或退款，请选择其他处理方式。"


class SameHands(Conflict):
    """Above the threshold two people decide."""

    slug = "difference-same-hands"
    title = "金额较大，须由另一位工作人员复核。"


class CreditReferenceTaken(Conflict):
    """The same reference with another amount, day or channel."""

    slug = "credit-reference-taken"
    title = "这个银行流水号已登记为内容不同的到账，请核对后重新提交。"


class NotInBooks(NotFound):
    """Absent, or another department's; both look the same."""
