"""The few words of this house that citizens read and that are no state, step or problem."""

CHANNELS = {"wechat_pay": "微信支付", "alipay": "支付宝"}
OPENED = "已发起支付"
REFUND_ASKED = "退款申请已登记"
SURPLUS_FOUND = "发现多余款项"
BILL_ISSUED = "收到缴款通知"
LIMIT = "100 万元"
ABOVE_THE_LIMIT = f"金额超过线上单笔上限（{LIMIT}），请到窗口或银行缴款。"
WINDOW_FIRST = "罚款金额超过 200 元，请先到窗口处理，处理后即可在线缴款。"
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
CAME_BACK_BEFORE = "原退款已到账，不再重复退"
NOT_WANTED = "申请已经结束，费用原路退回"
BILL_TITLE = "{item}（{unit}）"
FISCAL = "电子票据系统"
MONEY_WENT_BACK = "款项已退回"
NAMELESS = "未实名用户"
NEWS_SAYS = {"unknown": "查无此单", "mismatch": "内容不符", "impossible": "与账矛盾"}
NEWS_WHY = {
    "payment_unknown": "渠道通知了一笔支付，但我们没有这个支付单号",
    "refund_unknown": "渠道通知了一笔退款，但我们没有这个退款单号",
    "payment_impossible": "渠道称支付单已经关闭，但我们的账上这笔款项已经收到",
    "refund_impossible": "渠道通知的退款结果与我们的退款状态矛盾",
    "payment_amount": "渠道通知的支付金额与我们的记录不一致",
    "refund_amount": "渠道通知的退款金额与退款单不一致",
    "second_transaction": "同一支付单号下又有一笔交易，付款人可能被重复扣款",
    "other_channel": "通知来自另一家支付渠道，与这笔支付的渠道不一致",
    "other_merchant": "通知属于另一个商户号或应用，不是我们的收款账户",
    "no_amount": "通知中的金额无法识别",
    "less_returned": "渠道累计退回的金额少于我们的记录",
    "returned_twice": "渠道称已失败的退款其实已经退回，同一款项又在另行退回，可能重复退款",
    "other": "渠道的通知与我们的账目不一致",
}
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
