"""The fee of a case: demanded at acceptance, by the fee rules of its guide version, settled by news of a payment."""

from backend import catalogue
from backend.cases.dates import settle
from backend.cases.models import Case
from backend.cases.services import desk
from backend.cases.services.filing import open_form
from backend.contracts import FeeDemanded
from backend.kernel.problems import InvalidInput
from backend.store.unit import SYSTEM, Actor, Unit

SUBJECT = "case:"
_NOT_WANTED = "收到一笔不需要缴的费用，请联系部门退回，或拨打 12345"


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
    """Hear that money came: marks the fee paid once; money that does not fit is written down, the fee stays due."""
    case = desk.locked(u, case_id)
    if case.fee_payment_id == payment_id:
        return
    facts = {"amount_fen": amount_fen}
    if case.fee_state != "due":
        u.note(case.id, payment_id, "fee_not_due", by=SYSTEM, says=_NOT_WANTED, facts=facts)
    elif amount_fen != case.fee_fen:
        facts["due_fen"] = case.fee_fen
        u.note(case.id, payment_id, "fee_mismatch", by=SYSTEM, says=_NOT_WANTED, facts=facts)
    else:
        case.fee_state, case.fee_payment_id = "paid", payment_id
        settle(case)
        u.note(case.id, payment_id, "fee_paid", by=SYSTEM, says="费用已缴清", facts=facts)


def refunded(u: Unit, case_id: str, payment_id: str, amount_fen: int) -> None:
    """Hear that money went back; a full refund of the fee marks it so."""
    case = desk.locked(u, case_id)
    if case.fee_payment_id == payment_id and case.fee_state == "paid" and amount_fen >= case.fee_fen:
        case.fee_state = "refunded"
    u.note(
        case.id, payment_id, "fee_refunded", by=SYSTEM, says="费用已退回", facts={"amount_fen": amount_fen}
    )


def void(case: Case) -> None:
    """A case that ends no longer wants its fee."""
    if case.fee_state == "due":
        case.fee_state = "void"


def _lines(version: catalogue.ItemVersion, case: Case) -> tuple[catalogue.FeeLine, ...] | None:
    """What is due; None when the answers do not say enough. That must not hold up an acceptance by law."""
    try:
        return catalogue.fees_for(version, open_form(case))
    except InvalidInput:
        return None
