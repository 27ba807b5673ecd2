"""Whole lives drawn at random against the real database: whatever order, the books stay in order."""

from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend import cases
from backend.cases import tasks
from backend.cases.dates import holder_of
from backend.cases.machine import CASE
from backend.cases.models import Case
from backend.cases.services import desk
from backend.contracts import ParcelChecked, ParcelDelivered, PaymentSucceeded
from backend.kernel import clock, ids
from backend.kernel.problems import Conflict, InvalidInput
from backend.store import journal
from backend.store.unit import run_unit, unit
from tests.cases import makers
from tests.cases.makers import citizen, file_case, officer

pytestmark = pytest.mark.usefixtures("items")
BOSS = officer()
POINT = cases.Point("field", "building_area", "不一致", "请核对")
ANSWER = cases.CorrectionAnswer({"building_area": "100.00"})

STEPS: dict[str, Any] = {
    "pass": lambda u, c, p: cases.pass_pre_review(u, c, BOSS),
    "correct": lambda u, c, p: cases.request_correction(u, c, BOSS, (POINT,)),
    "answer": lambda u, c, p: cases.answer_correction(u, c, p, ANSWER, citizen(p)),
    "reopen": lambda u, c, p: cases.reopen_case(u, c, p, citizen(p)),
    "refuse": lambda u, c, p: cases.not_accept(u, c, BOSS, "不属于本部门"),
    "accept": lambda u, c, p: cases.accept(u, c, BOSS),
    "review": lambda u, c, p: cases.start_review(u, c, BOSS),
    "pause": lambda u, c, p: cases.pause(u, c, BOSS, "专家评审", 5, "评审"),
    "resume": lambda u, c, p: cases.resume(u, c, BOSS),
    "extend": lambda u, c, p: cases.extend(u, c, BOSS, "复杂"),
    "grant": lambda u, c, p: cases.decide(u, c, BOSS, granted=True, reason=""),
    "deny": lambda u, c, p: cases.decide(u, c, BOSS, granted=False, reason="不符合"),
    "finish": lambda u, c, p: cases.finish(u, c, BOSS, ("1",)),
    "hand over": lambda u, c, p: cases.hand_over(u, c, BOSS),
    "withdraw": lambda u, c, p: cases.withdraw_case(u, c, p, "", citizen(p)),
    "pay": lambda u, c, p: cases.on_payment_succeeded(
        u, PaymentSucceeded(c, p, ids.new_id("pay"), f"case:{c}", 9000)
    ),
    "parcel": lambda u, c, p: cases.on_parcel_delivered(u, ParcelDelivered(c, p, "par-x", "inbound")),
    "checked": lambda u, c, p: cases.on_parcel_checked(u, ParcelChecked(c, p, "par-x", "inbound")),
    "delivered": lambda u, c, p: cases.on_parcel_delivered(u, ParcelDelivered(c, p, "par-y", "outbound")),
}
_steps = st.lists(st.sampled_from([*STEPS, "days", "chores"]), min_size=5, max_size=40)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([makers.HOME, makers.LICENCE]), _steps)
def test_any_order_of_steps_keeps_the_books(item_id: str, steps: list[str]) -> None:
    clock.move_to(clock.at_local(date(2026, 3, 2), 10))
    case_id, who = file_case(item_id)
    for step in steps:
        _try(step, case_id, who)
    with unit() as u:
        case = u.session.scalars(select(Case).where(Case.id == case_id)).one()
        moves = [line for line in u.journal_of(case_id) if line.target]
        assert moves[-1].target == case.state
        assert all(CASE.can(line.source, line.trigger) for line in moves)
        assert journal.verify_chain(u.session, case_id) is None
        assert case.holder == holder_of(case)
        before = _dates(case)
        desk.redate(u, case)
        assert _dates(case) == before
        assert not [fault for fault in cases.check_books(u) if case_id in fault]
        assert cases.progress_of(u, case_id, who).state == case.state


def _try(step: str, case_id: str, who: str) -> None:
    """A step that is not possible now is refused and leaves nothing."""
    if step == "days":
        clock.advance(timedelta(days=9))
    elif step == "chores":
        tasks.lapse_corrections()
        tasks.deem_acceptance()
    else:
        with suppress(Conflict, InvalidInput):
            run_unit(lambda u: STEPS[step](u, case_id, who))


def _dates(case: Case) -> list[Any]:
    return [
        case.due_on,
        case.promised_on,
        case.legal_on,
        case.delivery_due_on,
        case.paused_days,
        case.days_early,
    ]
