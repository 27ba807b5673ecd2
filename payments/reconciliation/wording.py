"""What staff read of statements and differences; citizens never see these words."""

from payments.reconciliation import machine as m

STATEMENT_WANTED = "等待渠道对账单"
FOUND = "渠道与台账不一致"
HEALED = "询问渠道后已一致"
APPEARED = "另一天的对账单已列出"
CREDIT_TOLD = "银行到账已登记"

TROUBLES = {
    "blank_lines": "对账单里有大量空行",
    "cut_off": "对账单不完整，可能在传输中被截断",
    "line_too_long": "对账单里有一行过长",
    "encoding": "对账单的字符编码不正确",
    "columns": "对账单的列与约定不符",
    "merchant": "对账单属于其他商户",
    "other_day": "对账单不是这一天的",
    "state": "对账单里有不认识的交易状态",
    "currency": "对账单里有其他币种",
    "number": "对账单里有不合规的单号",
    "amount": "对账单里有不合规的金额",
    "time": "对账单里有不合规的时间",
    "sums": "对账单的合计与明细不符",
}
CORRUPT = "渠道给出的文件不能使用"
SILENT = "渠道没有给出可信的答复"
NOT_YET = "渠道尚未生成对账单"
AT_LINE = "{trouble}（第 {line} 行）"

KINDS = {
    m.MISSING_HERE: "渠道有、本地无",
    m.MISSING_THERE: "本地有、渠道无",
    m.AMOUNT_DIFFERS: "金额不一致",
    m.REFUND_DIFFERS: "退款不一致",
    m.STATE_DIFFERS: "渠道已收、本地未收",
    m.TOLD_TWICE: "渠道重复列出",
}
DECISIONS = {m.ASK: "再次询问渠道", m.BOOK: "记入差异账户", m.WAIT: "等待另一天的对账单"}
EXPLAINED_TO = {m.TO_CHANNEL: "归渠道账", m.TO_FEE: "计入手续费", m.TO_PAYEE: "归某单位"}
NO_DEPARTMENT = "请填写款项所归的执收单位"
STRANGE_DEPARTMENT = "不是在册的执收单位"
NOT_TO_A_DEPARTMENT = "只有归某单位时才填写"
CREDIT_WITHDRAWN = "银行到账登记已撤销"
CREDIT_CHOSEN = "银行到账对应的款项已选定"
LINES = {m.PAID_LINE: "收款", m.RETURNED_LINE: "退款"}
