"""What departments push as a bill: every fault named at once, and the row it becomes."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from backend.kernel import clock, identifiers, ids
from backend.kernel.problems import FieldError, InvalidInput
from backend.store import vault
from payments import wording
from payments.bills.models import FACTOR, FEE, FINE, PAYER, Bill, BillItem
from payments.bills.prices import GRACE
from payments.bills.problems import ItemsDoNotAddUp, RateOutOfRange
from payments.bills.questions import knows_factor, tidy_factor
from payments.bills.views import BillCorrection, BillDraft, BillLine
from payments.machine import WITHDRAWN
from payments.models import MAX_FEN
from payments.problems import AmountOutOfRange

MOST_PPM = 100_000
"""A tenth of the principal a day; what laws know is far below (滞纳金 mostly 0.05–0.3 %)."""
MOST_LINES = 20
_NOTICE_NO = re.compile(r"[0-9]{16}|[0-9]{20}")
_REGION = re.compile(r"[0-9]{6}([0-9]{3}){0,2}")
_UNIT_CODE = re.compile(r"([0-9A-Za-z-]{3,30})?")
_SAYS = {"due_on": "缴款期限不得早于开具之日；罚款的缴款期限不得少于15日"}
_AMOUNT = f"应为以分为单位的整数，且不超过 {wording.LIMIT}"
_OVERDUE = "滞纳金不得超过应缴金额"
_ANOTHERS = "这个缴款码已被其他单位使用，请换新的缴款码"
_WITHDRAWN = "这个缴款码的通知已经撤回，请换新的缴款码重新推送"
_CORRECT_IT = "与已推送的内容不同，更正请用更正接口"
_ISSUE_ANEW = "与已推送的内容不同，请撤回原通知，换新的缴款码重新推送"
_LASTING = ("kind", "executing_unit", "unit_code", "item", "issued_on", "window_name", "window_address")
_CORRECTABLE = ("principal_fen", "overdue_fen", "overdue_ppm", "due_on")


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


def checked_correction(told: BillCorrection, bill: Bill) -> BillCorrection:
    """The same for a correction of this bill."""
    told = replace(told, items=told.items or (BillLine("", bill.item, told.principal_fen),))
    _check_amounts(told, bill.kind)
    faults = {
        "second_factor": told.factor is not None and not _is_factor(told.factor),
        "due_on": told.due_on < _earliest(bill.kind, bill.issued_on),
        "payer_id_no": not _is_payer(told.payer_id_no or ""),
    }
    _refuse(InvalidInput, faults)
    if told.payer_id_no is None:
        return told
    return replace(told, payer_id_no=identifiers.tidy_id_no(told.payer_id_no))


def written(draft: BillDraft) -> Bill:
    """The row of a checked draft."""
    public_id = ids.new_id("bi")
    bill = Bill(
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
        window_name=draft.window_name,
        window_address=draft.window_address,
        issued_at=clock.now(),
    )
    put_factor(bill, draft.factor)
    put_payer(bill, draft.payer_id_no)
    return bill


def put_factor(bill: Bill, factor: str) -> None:
    bill.factor = vault.seal(FACTOR, bill.id, tidy_factor(factor))


def put_payer(bill: Bill, number: str) -> None:
    """Name the owner of this identity number, tidied; without one the bill names nobody."""
    bill.payer = vault.seal(PAYER, bill.id, number) if number else None
    bill.payer_blind = vault.blind(PAYER, number) if number else None


def names_payer(bill: Bill, number: str) -> bool:
    """Whether the bill names just the owner of this number, tidied; without one, nobody."""
    return bill.payer_blind in vault.blinds(PAYER, number) if number else bill.payer_blind is None


def item_rows(bill_id: str, lines: tuple[BillLine, ...]) -> list[BillItem]:
    return [
        BillItem(bill_id=bill_id, no=no, code=line.code, name=line.name, fee_fen=line.fee_fen)
        for no, line in enumerate(lines, 1)
    ]


def differences(bill: Bill, lines: tuple[BillLine, ...], draft: BillDraft) -> list[FieldError]:
    """Why a checked draft is not just this bill, which carries its number: the fields, and what to do about each.

    Nothing else is told about a bill of another department or region: a push must not find out its second factor.
    """
    if bill.department_id != draft.department_id:
        return [FieldError(field="notice_no", message=_ANOTHERS)]
    if bill.state == WITHDRAWN:
        return [FieldError(field="notice_no", message=_WITHDRAWN)]
    if bill.region_code != draft.region_code:
        return [FieldError(field="region_code", message=_ISSUE_ANEW)]
    corrected = {name: getattr(bill, name) != getattr(draft, name) for name in _CORRECTABLE} | {
        "items": bool(lines) and lines != draft.items,
        "second_factor": not knows_factor(bill, draft.factor),
        "payer_id_no": not names_payer(bill, draft.payer_id_no),
    }
    lasting = [name for name in _LASTING if getattr(bill, name) != getattr(draft, name)]
    return [FieldError(field=name, message=_ISSUE_ANEW) for name in lasting] + [
        FieldError(field=name, message=_CORRECT_IT) for name, differs in corrected.items() if differs
    ]


def _due_on(draft: BillDraft) -> date:
    return draft.due_on or draft.issued_on + GRACE


def _earliest(kind: str, issued_on: date) -> date:
    """The first day that may be the last to pay: nobody shortens the days that the law gives for a fine."""
    return issued_on + GRACE if kind == FINE else issued_on


def _faults(draft: BillDraft) -> dict[str, bool]:
    return {
        "notice_no": not _NOTICE_NO.fullmatch(draft.notice_no),
        "kind": draft.kind not in (FEE, FINE),
        "second_factor": not _is_factor(draft.factor),
        "due_on": _due_on(draft) < _earliest(draft.kind, draft.issued_on),
        "issued_on": draft.issued_on > clock.today(),
        "executing_unit": not 1 <= len(draft.executing_unit) <= 80,
        "unit_code": not _UNIT_CODE.fullmatch(draft.unit_code),
        "region_code": not _REGION.fullmatch(draft.region_code),
        "item": not 1 <= len(draft.item) <= 80,
        "payer_id_no": not _is_payer(draft.payer_id_no),
    }


def _is_factor(given: str) -> bool:
    return 4 <= len(tidy_factor(given)) <= 20


def _is_payer(number: str) -> bool:
    return not number or identifiers.is_id_no(number)


def _check_amounts(told: BillDraft | BillCorrection, kind: str) -> None:
    """Amounts, rate and lines. A fine grows by the penalty of the law, never by a rate of its own as well."""
    amounts = {
        "principal_fen": not _is_fen(told.principal_fen, 1, MAX_FEN),
        "overdue_fen": not _is_fen(told.overdue_fen, 0, MAX_FEN),
    } | {f"items.{no}.fee_fen": not _is_fen(line.fee_fen, 1, MAX_FEN) for no, line in enumerate(told.items)}
    _refuse(AmountOutOfRange, amounts, _AMOUNT)
    _refuse(AmountOutOfRange, {"overdue_fen": told.overdue_fen > told.principal_fen}, _OVERDUE)
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


def _refuse(kind: type[InvalidInput], faults: Mapping[str, bool], says: str = "填写不正确") -> None:
    if wrong := [name for name, bad in faults.items() if bad]:
        raise kind(errors=[FieldError(field=name, message=_SAYS.get(name, says)) for name in wrong])
