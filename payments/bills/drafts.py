"""What departments push as a bill: every fault named at once, and the row it becomes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from backend.kernel import clock, identifiers, ids
from backend.kernel.problems import FieldError, InvalidInput
from backend.store import vault
from payments.bills.models import FACTOR, FEE, FINE, PAYER, Bill, BillItem
from payments.bills.prices import GRACE
from payments.bills.problems import ItemsDoNotAddUp, RateOutOfRange
from payments.bills.questions import tidy_factor
from payments.bills.views import BillAmounts, BillDraft, BillLine
from payments.models import MAX_FEN
from payments.problems import AmountOutOfRange

MOST_PPM = 100_000
"""A tenth of the principal a day; what laws know is far below (滞纳金 mostly 0.05–0.3 %)."""
MOST_LINES = 20
_NOTICE_NO = re.compile(r"[0-9]{16}|[0-9]{20}")
_REGION = re.compile(r"[0-9]{6}([0-9]{3}){0,2}")
_UNIT_CODE = re.compile(r"([0-9A-Za-z-]{3,30})?")
_SAYS = {"due_on": "缴款期限不得早于开具之日；罚款的缴款期限不得少于15日"}


def checked(draft: BillDraft) -> BillDraft:
    """The draft with its due date and lines, if nothing is wrong with it.

    Raises AmountOutOfRange, RateOutOfRange, ItemsDoNotAddUp, InvalidInput.
    """
    draft = replace(
        draft, due_on=_due_on(draft), items=draft.items or (BillLine("", draft.item, draft.principal_fen),)
    )
    _check_amounts(draft, draft.kind)
    _refuse(InvalidInput, _faults(draft))
    return replace(draft, payer_id_no=identifiers.tidy_id_no(draft.payer_id_no))


def checked_amounts(amounts: BillAmounts, kind: str, item: str, issued_on: date) -> BillAmounts:
    """The same for a correction of a bill of this kind."""
    amounts = replace(amounts, items=amounts.items or (BillLine("", item, amounts.principal_fen),))
    _check_amounts(amounts, kind)
    _refuse(InvalidInput, {"due_on": amounts.due_on < _earliest(kind, issued_on)})
    return amounts


def written(draft: BillDraft) -> Bill:
    """The row of a checked draft."""
    public_id, number = ids.new_id("bi"), draft.payer_id_no
    return Bill(
        id=public_id,
        notice_no=draft.notice_no,
        kind=draft.kind,
        executing_unit=draft.executing_unit,
        unit_code=draft.unit_code,
        region_code=draft.region_code,
        department_id=draft.department_id,
        item=draft.item,
        principal_fen=draft.principal_fen,
        overdue_fen=draft.overdue_fen,
        overdue_ppm=draft.overdue_ppm,
        issued_on=draft.issued_on,
        due_on=_due_on(draft),
        factor=vault.seal(FACTOR, public_id, tidy_factor(draft.factor)),
        payer=vault.seal(PAYER, public_id, number) if number else None,
        payer_blind=vault.blind(PAYER, number) if number else None,
        window_name=draft.window_name,
        window_address=draft.window_address,
        issued_at=clock.now(),
    )


def item_rows(bill_id: str, lines: tuple[BillLine, ...]) -> list[BillItem]:
    return [
        BillItem(bill_id=bill_id, no=no, code=line.code, name=line.name, fee_fen=line.fee_fen)
        for no, line in enumerate(lines, 1)
    ]


def differs(bill: Bill, lines: tuple[BillLine, ...], draft: BillDraft) -> bool:
    """Whether a checked draft tells another debt than the bill that carries its number."""
    names = (
        "kind", "department_id", "region_code", "unit_code", "item", "principal_fen", "overdue_fen",
        "overdue_ppm", "due_on",
    )  # fmt: skip
    same = all(getattr(bill, name) == getattr(draft, name) for name in names)
    return not same or (bool(lines) and lines != draft.items)


def _due_on(draft: BillDraft) -> date:
    return draft.due_on or draft.issued_on + GRACE


def _earliest(kind: str, issued_on: date) -> date:
    """The first day that may be the last to pay: nobody shortens the days that the law gives for a fine."""
    return issued_on + GRACE if kind == FINE else issued_on


def _faults(draft: BillDraft) -> dict[str, bool]:
    return {
        "notice_no": not _NOTICE_NO.fullmatch(draft.notice_no),
        "kind": draft.kind not in (FEE, FINE),
        "factor": not 4 <= len(tidy_factor(draft.factor)) <= 20,
        "due_on": _due_on(draft) < _earliest(draft.kind, draft.issued_on),
        "issued_on": draft.issued_on > clock.today(),
        "executing_unit": not 1 <= len(draft.executing_unit) <= 80,
        "unit_code": not _UNIT_CODE.fullmatch(draft.unit_code),
        "region_code": not _REGION.fullmatch(draft.region_code),
        "item": not 1 <= len(draft.item) <= 80,
        "payer_id_no": bool(draft.payer_id_no) and not identifiers.is_id_no(draft.payer_id_no),
    }


def _check_amounts(told: BillDraft | BillAmounts, kind: str) -> None:
    """Amounts, rate and lines. A fine grows by the penalty of the law, never by a rate of its own as well."""
    amounts = {
        "principal_fen": not _is_fen(told.principal_fen, 1, MAX_FEN),
        "overdue_fen": not _is_fen(told.overdue_fen, 0, MAX_FEN),
    } | {f"items.{no}.fee_fen": not _is_fen(line.fee_fen, 1, MAX_FEN) for no, line in enumerate(told.items)}
    _refuse(AmountOutOfRange, amounts)
    _refuse(AmountOutOfRange, {"overdue_fen": told.overdue_fen > told.principal_fen})
    _refuse(
        RateOutOfRange, {"overdue_ppm": not _is_fen(told.overdue_ppm, 0, 0 if kind == FINE else MOST_PPM)}
    )
    _refuse(
        InvalidInput,
        {"items": len(told.items) > MOST_LINES}
        | {f"items.{no}.name": not 1 <= len(line.name) <= 80 for no, line in enumerate(told.items)}
        | {f"items.{no}.code": len(line.code) > 30 for no, line in enumerate(told.items)},
    )
    if (total := sum(line.fee_fen for line in told.items)) != told.principal_fen:
        fault = FieldError(field="items", message="各项金额之和与应缴金额不一致")
        raise ItemsDoNotAddUp(errors=[fault], items_fen=total, principal_fen=told.principal_fen)


def _is_fen(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _refuse(kind: type[InvalidInput], faults: Mapping[str, bool]) -> None:
    if wrong := [name for name, bad in faults.items() if bad]:
        raise kind(errors=[FieldError(field=name, message=_SAYS.get(name, "填写不正确")) for name in wrong])
