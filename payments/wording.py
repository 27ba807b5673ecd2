"""The few words of this house that citizens read and that are no state, step or problem."""

CHANNELS = {"wechat_pay": "微信支付", "alipay": "支付宝"}
OPENED = "已发起支付"
REFUND_ASKED = "退款申请已登记"
BILL_ISSUED = "收到缴款通知"
LATE_MONEY = "支付单关闭后到账，原路退回"
PAID_TWICE = "重复支付，原路退回"
BILL_WITHDRAWN = "缴款通知已撤回，原路退回"
NOT_WANTED = "申请已经结束，费用原路退回"
BILL_TITLE = "{item}（{unit}）"


def fitting(text: str, most: int = 40) -> str:
    """A title no longer than the phones of all channels show."""
    return text if len(text) <= most else text[: most - 1] + "…"
