"""What reconciliation refuses.

Problem
├── Conflict
│   ├── NothingToAsk           the channel cannot be asked: the number is none of ours, or its end is told
│   ├── SameHands              who decided first cannot be the second
│   ├── CreditReferenceTaken   the bank's reference stands on another credit
│   ├── CreditWithdrawn        the bank credit was withdrawn before
│   ├── NobodysPayout          the channel pays nothing out for the difference beside the day's settlement
│   ├── SettlementTaken        what was chosen belongs to another credit, payee or channel
│   └── SumDiffers             what was chosen does not add up to the credit
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


class CreditWithdrawn(Conflict):
    """What was withdrawn pays nothing any more."""

    slug = "credit-withdrawn"
    title = "这笔到账登记已撤销。"


class NobodysPayout(Conflict):
    """Only a line without a payment of ours, or told again, brings a department money beside its settlement."""

    slug = "difference-pays-nobody"
    title = "这笔款项已在结算之内或渠道没有列出，不能另归单位，请选择其他处理方式。"


class SettlementTaken(Conflict):
    """A settlement or difference belongs to one credit at most, of its own payee and channel."""

    slug = "settlement-taken"
    title = "所选结算或差异款项已对应其他到账，或不属于这个收款部门和渠道。"


class SumDiffers(Conflict):
    """A credit pays its settlements and differences to the fen."""

    slug = "settlements-do-not-add-up"
    title = "所选结算和差异款项的合计与到账金额不一致。"


class NotInBooks(NotFound):
    """Absent, or another department's; both look the same."""
