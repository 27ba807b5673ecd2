"""The few words of this house that citizens read and that are no state, step or problem."""

CHANNELS = {"wechat_pay": "微信支付", "alipay": "支付宝"}
OPENED = "已发起支付"
REFUND_ASKED = "退款申请已登记"
SURPLUS_FOUND = "发现多余款项"
BILL_ISSUED = "收到缴款通知"
PAY_LINK_MADE = "已生成代付码，可以请他人代为缴费"
PAYEE_STEPS = {
    "payee_entered": "已登记收款单位",
    "payee_changed": "收款单位信息已变更",
    "payee_stopped": "收款单位已停用",
    "payee_opened": "收款单位已恢复使用",
}
STRANGE_UNIT = "不是本部门登记的执收单位编码"
NOT_A_WHOLE_BILL = "只有全额退回缴款通知的款项时，才能同时撤回缴款通知"
OTHER_SUM = "实际收到 {came} 元，应缴 {asked} 元，两者不一致"
LATE_MONEY = "支付单关闭后到账，原路退回"
PAID_TWICE = "重复支付，原路退回"
BILL_WITHDRAWN = "缴款通知已撤回，原路退回"
NOT_WANTED = "申请已经结束，费用原路退回"
BILL_TITLE = "{item}（{unit}）"
FISCAL = "电子票据系统"
MONEY_WENT_BACK = "款项已退回"
NAMELESS = "未实名用户"
PAPER = {
    "title": "电子缴款票据",
    "code": "票据代码",
    "number": "票据号码",
    "check": "校验码",
    "issued": "开票日期",
    "payer": "交款人",
    "paid_number": "支付单号",
    "item": "项目名称",
    "amount": "金额（元）",
    "words": "金额合计（大写）",
    "unit": "收款单位",
    "verify": "扫描右侧二维码，可以核验本票据的真伪和有效状态。",
    "rest": "部分款项已退回：原票据已经作废，本票据按余额重新开具。",
    "play": "本票据由演示系统开具，不是财政部门的票据，不能用于报销。",
}


def fitting(text: str, most: int = 40) -> str:
    """A title no longer than the phones of all channels show."""
    return text if len(text) <= most else text[: most - 1] + "…"
