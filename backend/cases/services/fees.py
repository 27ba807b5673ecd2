"""The fee of a case: demanded at acceptance, by the fee rules of its guide version, settled by news of a payment."""

from backend import catalogue
from backend.cases import wording
from backend.cases.dates import settle
from backend.cases.models import Case
from backend.cases.services import desk
from backend.cases.services.filing import open_form
from backend.contracts import FeeDemanded, FeeNotWanted
from backend.kernel.problems import InvalidInput
from backend.store.unit import SYSTEM, Actor, Unit

SUBJECT = "case:"
_OVER = frozenset({"void", "refunded"})


def demand(u: Unit, case: Case, by: Actor) -> None:
    """Ask for the fee where the guide wants it before the decision. A fee set per bill comes as a bill instead."""
    version = catalogue.version(u, case.item_version_id)
    if version.policy.fee_before != "decision":
        return
    lines = _lines(version, case)
    total = None if lines is None else catalogue.fee_total_fen(lines)
    if lines is None or total is None:
        u.note(case.id, case.id, "fee_by_bill", by=by, says="费用以缴款通知书为准")
    elif total > 0:
        case.fee_state, case.fee_fen = "due", total
        case.fee_lines = [[line.name, line.amount_fen] for line in lines if line.amount_fen]
        settle(case)
        u.note(case.id, case.id, "fee_demanded", by=by, says="请缴费", facts={"amount_fen": total})
        u.record(FeeDemanded(case.id, case.person_id, total))


def pay(u: Unit, case_id: str, payment_id: str, amount_fen: int) -> None:
    """Hear that money came: marks the fee paid once.

    Money that does not fit is written down, the fee stays due; money for a fee that is over goes back.
    """
    case = desk.locked(u, case_id)
    if case.fee_payment_id == payment_id:
        return
    facts = {"amount_fen": amount_fen}
    if case.fee_state in _OVER:
        case.fee_state = "paid"
        _let_go(u, case, payment_id)
    elif case.fee_state != "due":
        u.note(case.id, payment_id, "fee_not_due", by=SYSTEM, says=_unexplained(), facts=facts)
    elif amount_fen != case.fee_fen:
        facts["due_fen"] = case.fee_fen
        u.note(case.id, payment_id, "fee_mismatch", by=SYSTEM, says=_unexplained(), facts=facts)
    else:
        case.fee_state, case.fee_payment_id = "paid", payment_id
        settle(case)
        u.note(case.id, payment_id, "fee_paid", by=SYSTEM, says="费用已缴清", facts=facts)


def refunded(u: Unit, case_id: str, payment_id: str, refund_id: str, amount_fen: int) -> None:
    """Hear that money went back; the fee is marked so once all of it is back, in one part or several."""
    case = desk.locked(u, case_id)
    before = _parts_back(u, case, payment_id)
    if refund_id in before:
        return
    back = amount_fen + sum(before.values())
    if case.fee_payment_id == payment_id and case.fee_state == "paid" and back >= case.fee_fen:
        case.fee_state = "refunded"
    facts = {"amount_fen": amount_fen, "refund": refund_id}
    u.note(case.id, payment_id, "fee_refunded", by=SYSTEM, says="费用已退回", facts=facts)


def give_up(u: Unit, case: Case) -> None:
    """A case that ends before its decision no longer wants its fee: unpaid it falls away, paid it goes back."""
    if case.fee_state == "due":
        case.fee_state = "void"
    elif case.fee_state == "paid" and case.fee_payment_id is not None:
        _let_go(u, case, case.fee_payment_id)


def _let_go(u: Unit, case: Case, payment_id: str) -> None:
    """Tell the payments bureau and the citizen that the money goes back; the fee stays paid until it is back."""
    case.fee_payment_id = payment_id
    u.note(case.id, payment_id, "fee_not_wanted", by=SYSTEM, says=wording.say("fee", "not_wanted"))
    u.record(FeeNotWanted(case.id, case.person_id, payment_id))


def _parts_back(u: Unit, case: Case, payment_id: str) -> dict[str, int]:
    """Refunds of a payment that were heard of: fen by refund."""
    return {
        line.facts["refund"]: line.facts["amount_fen"]
        for line in u.journal_of(case.id)
        if (line.subject, line.trigger) == (payment_id, "fee_refunded")
    }


def _unexplained() -> str:
    return wording.say("fee", "unexplained")


def _lines(version: catalogue.ItemVersion, case: Case) -> tuple[catalogue.FeeLine, ...] | None:
    """What is due; None when the answers do not say enough. That must not hold up an acceptance by law."""
    try:
        return catalogue.fees_for(version, open_form(case))
    except InvalidInput:
        return None
