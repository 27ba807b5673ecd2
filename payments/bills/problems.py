"""What is refused about bills, payees and pay links, beside what `problems` says of all payments.

Problem
├── Conflict
│   ├── BillBeingPaid      somebody is paying: correct it afterwards
│   ├── PayeeInactive      the finance office has stopped this payee
│   └── PayeeCodeTaken     the unit code is another payee's
├── NotFound
│   ├── PayeeNotFound      not in the register
│   └── PayLinkNotFound    wrong, over, ended, or somebody else's: all look the same
└── InvalidInput
    ├── ItemsDoNotAddUp    the lines of a bill are not its principal
    └── RateOutOfRange     more a day than any law knows, or a rate on a fine
"""

from backend.kernel.problems import Conflict, InvalidInput, NotFound, members


class BillBeingPaid(Conflict):
    """A payment of this bill is open: its amount must not change under the payer."""

    slug = "bill-being-paid"
    title = "有人正在缴这笔款，请稍后再更正。"


class PayeeInactive(Conflict):
    """The payee receives no more money."""

    slug = "payee-inactive"
    title = "这个收款单位已停止收款，请联系该单位或财政部门。"


class PayeeCodeTaken(Conflict):
    """Another payee has this unit code."""

    slug = "payee-code-taken"
    title = "这个执收单位编码已被其他单位使用，请核对后重新提交。"


class PayeeNotFound(NotFound):
    """No such payee in the register."""

    slug = "payee-not-found"
    title = "没有登记这个收款单位，请核对单位编号。"


class PayLinkNotFound(NotFound):
    """The code opens nothing; nobody learns whether it ever did."""

    slug = "pay-link-not-found"
    title = "代付码不正确或已经失效，请向对方索取新的代付码。"


class ItemsDoNotAddUp(InvalidInput):
    """The sum of a bill's lines is not its principal."""

    slug = "bill-items-do-not-add-up"
    extras = members(items_fen=int, principal_fen=int)
    title = "各项金额之和与应缴金额不一致，请核对后重新提交。"


class RateOutOfRange(InvalidInput):
    """A daily rate below nothing or above a tenth, or any rate on a fine."""

    slug = "overdue-rate-out-of-range"
    title = "滞纳金比例不正确：罚款按法定标准加处，其他款项每日不超过百分之十。"
