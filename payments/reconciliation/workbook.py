"""Statements and settlements as Excel workbooks, written row by row so that size costs disk and not memory.

Numbers and words that come from outside are text to Excel and never a formula.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select

from backend.kernel import clock
from backend.store.unit import Unit
from payments.reconciliation import questions, wording
from payments.reconciliation.models import StatementLine
from payments.reconciliation.views import (
    DifferenceView,
    PayoutView,
    SettledLine,
    SettlementView,
    StatementView,
)
from payments.wording import CHANNELS

MEDIA: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS: Final = 50_000
"""More lines than that make no sheet that anybody reads: the interface pages through them instead."""
_PIECE: Final = 1000
_RISKY: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
_TOO_MANY = "明细超过 50000 行，其余请通过接口分页查看。"
_STATEMENT = (
    "渠道",
    "日期",
    "状态",
    "行数",
    "收款（元）",
    "退款（元）",
    "手续费（元）",
    "差异",
    "未处理差异",
    "说明",
)
_DIFFERENCE = (
    "差异编号", "类别", "单号", "部门", "本地金额（元）", "渠道金额（元）", "建议", "状态", "处理",
    "理由", "处理人", "复核人", "查明去向", "查明说明", "查明人", "查明复核人", "归属单位",
)  # fmt: skip
_SETTLEMENT = (
    "结算编号", "渠道", "日期", "收款部门", "收款笔数", "收款（元）", "退款（元）", "手续费（元）",
    "净额（元）", "到账编号",
)  # fmt: skip
_PAYOUT = ("差异编号", "渠道", "日期", "收款部门", "类别", "单号", "金额（元）", "查明说明", "到账编号")
_LINE = ("行", "类别", "单号", "渠道单号", "金额（元）", "手续费（元）", "时间")
_SETTLED = ("行", "类别", "单号", "支付编号", "名称", "渠道单号", "金额（元）", "手续费（元）", "时间")
Row = Sequence[Any]


def statement_book(u: Unit, statement_id: str) -> bytes:
    """A statement with its differences, settlements and lines. Raises NotInBooks."""
    shown = questions.statement_of(u, statement_id)
    book = Workbook(write_only=True)
    _sheet(book, "对账单", _STATEMENT, [_statement(shown)])
    _sheet(book, "差异", _DIFFERENCE, map(_difference, _all_differences(u, statement_id)))
    made = questions.settlements_of(u, statement_id=statement_id, limit=MOST_ROWS)
    _sheet(book, "结算", _SETTLEMENT, map(_settlement, made))
    _sheet(book, "明细", _LINE, _statement_lines(u, statement_id))
    return _packed(book)


def settlement_book(u: Unit, settlement_id: str) -> bytes:
    """A settlement with the payments and refunds it is made of. Raises NotInBooks."""
    book = Workbook(write_only=True)
    _sheet(book, "结算", _SETTLEMENT, [_settlement(questions.settlement_of(u, settlement_id))])
    _sheet(book, "明细", _SETTLED, map(_settled, _all_settled(u, settlement_id)))
    return _packed(book)


def credit_book(u: Unit, credit_id: str) -> bytes:
    """A bank credit: its settlements with their payments and refunds, and its differences. Raises NotInBooks."""
    credit = questions.credit_of(u, credit_id)
    book = Workbook(write_only=True)
    _sheet(book, "结算", _SETTLEMENT, map(_settlement, credit.settlements))
    _sheet(book, "差异款项", _PAYOUT, map(_payout, credit.differences))
    for one in credit.settlements:
        _sheet(book, f"{one.day:%Y-%m-%d} 明细", _SETTLED, map(_settled, _all_settled(u, one.id)))
    return _packed(book)


def _sheet(book: Workbook, title: str, heads: Sequence[str], rows: Iterable[Row]) -> None:
    sheet = book.create_sheet(title)
    sheet.append(list(heads))
    for number, row in enumerate(rows):
        if number == MOST_ROWS:
            sheet.append([_TOO_MANY])
            return
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Worksheet, value: Any) -> Any:
    if isinstance(value, datetime):
        value = clock.local(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        value = value.isoformat()
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet)
    cell.value, cell.data_type = value, "s"
    cell.quotePrefix = value.startswith(_RISKY)
    return cell


def _packed(book: Workbook) -> bytes:
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        return file.read()


def _yuan(fen: int | None) -> float | None:
    """A number that Excel can add up; the ledger itself never leaves whole fen."""
    return None if fen is None else fen / 100


def _statement(one: StatementView) -> Row:
    return (
        CHANNELS[one.channel], one.day, one.says, one.lines, _yuan(one.paid_fen), _yuan(one.returned_fen),
        _yuan(one.fee_fen), one.differences, one.unsolved, one.trouble or "",
    )  # fmt: skip


def _difference(one: DifferenceView) -> Row:
    decision = wording.DECISIONS[one.decision] if one.decision else ""
    explained_to = wording.EXPLAINED_TO[one.explained_to] if one.explained_to else ""
    return (
        one.id, one.kind_says, one.number, one.department_id or "", _yuan(one.ours_fen), _yuan(one.theirs_fen),
        wording.DECISIONS[one.proposal], one.says, decision, one.reason or "", one.decided_by or "",
        one.confirmed_by or "", explained_to, one.explanation or "", one.explained_by or "",
        one.explanation_confirmed_by or "", one.explained_department or "",
    )  # fmt: skip


def _settlement(one: SettlementView) -> Row:
    return (
        one.id, CHANNELS[one.channel], one.day, one.payee, one.payments, _yuan(one.paid_fen),
        _yuan(one.returned_fen), _yuan(one.fee_fen), _yuan(one.net_fen), one.credit_id or "",
    )  # fmt: skip


def _payout(one: PayoutView) -> Row:
    return (
        one.id, CHANNELS[one.channel], one.day, one.payee, one.kind_says, one.number, _yuan(one.amount_fen),
        one.explanation, one.credit_id or "",
    )  # fmt: skip


def _settled(one: SettledLine) -> Row:
    return (
        one.line, wording.LINES[one.kind], one.number, one.payment_id, one.title, one.reference,
        _yuan(one.amount_fen), _yuan(one.fee_fen), one.happened_at,
    )  # fmt: skip


def _statement_lines(u: Unit, statement_id: str) -> Iterator[Row]:
    wanted = (
        select(StatementLine).where(StatementLine.statement_id == statement_id).order_by(StatementLine.line)
    )
    for one in u.session.scalars(wanted.limit(MOST_ROWS + 1).execution_options(yield_per=_PIECE)):
        yield (
            one.line, wording.LINES[one.kind], one.number, one.reference, _yuan(one.amount_fen),
            _yuan(one.fee_fen), one.happened_at,
        )  # fmt: skip


def _all_differences(u: Unit, statement_id: str) -> Iterator[DifferenceView]:
    after: str | None = None
    while found := questions.differences(u, statement_id=statement_id, after=after, limit=_PIECE):
        yield from found
        after = found[-1].id


def _all_settled(u: Unit, settlement_id: str) -> Iterator[SettledLine]:
    after = 0
    while found := questions.lines_of(u, settlement_id, after=after, limit=_PIECE):
        yield from found
        after = found[-1].line
