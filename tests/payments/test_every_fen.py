"""Any order of openings, payments, lost and late news, refunds, statements and decisions keeps every fen.

Hypothesis invents the stories; a model of the channels (`model_channel`) holds the other side's books. After every
step: our books have no fault, no more goes back than came, nothing leaves an end but by a correction. At the end of a
story, when everything that was lost has been asked for: both sides agree to the fen, and nobody's money is stuck.
STORIES=250 tells that many others, SHRINK=1 makes one that fails as short as it can be.
"""

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

import payments
from backend.kernel import clock, ids
from backend.kernel.problems import Problem
from backend.runtime import callbacks
from backend.store.unit import run_unit
from payments import asking, tasks
from payments.machine import HOLDING_MONEY, OPEN, PAYMENT, REFUND, UNDER_WAY
from tests.payments.fen_deeds import FEE, STAFF, Deeds, Dice, make_due
from tests.payments.makers import FINE_OF_100_YUAN
from tests.payments.model_channel import ModelChannel
from tests.payments.statement_deeds import MOST, came_beside, from_treasury, paid_out
from tests.support import fresh_town

DEEP = int(os.environ.get("STORIES", "0"))
STORIES = hypothesis.settings(
    max_examples=DEEP or 5, stateful_step_count=50, deadline=None, derandomize=not DEEP, database=None,
    phases=[hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if "SHRINK" in os.environ else [])],
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip
WEIGHTS = {
    "open_one": 6, "pay": 7, "pay_another_sum": 1, "push": 6, "push_again": 2, "sweep": 3, "time_passes": 1,
    "lose_the_shutting": 1, "correct": 2, "ask_back": 3, "give": 4, "decide": 5, "take_back": 3, "retry": 2,
    "return_over_channel": 6, "come_back_after_all": 3, "get_stuck": 2,
    "trouble": 2, "contest": 2, "clear": 2, "give_back_held": 2, "statement": 4, "treasury": 5, "unwanted": 1,
    "withdraw": 1, "ask_difference": 1, "decide_difference": 3, "confirm_difference": 3, "explain_difference": 2,
    "look_at_differences": 1,
}  # fmt: skip
DICED, LONG = 12, 100  # stories told by dice, and steps in each
ENDS = (PAYMENT.terminal - {"closed"}) | REFUND.terminal
ALL = text(
    "SELECT id, state FROM payments_payment WHERE matter = ANY(:ours)"
    " UNION ALL SELECT id, state FROM payments_refund WHERE matter = ANY(:ours)"
)
DONE: Counter[str] = Counter()
SEEN: set[str] = set()
LEFT: Counter[str] = Counter()
"""What the payers of all stories so far left with each channel."""
dice = st.builds(Dice, st.integers(0, 11), st.integers(0, 9), st.booleans())


class TheHouse(Deeds, RuleBasedStateMachine):
    """The deeds in any order, and what must be true after each of them."""

    stories: ClassVar[int] = 0

    @initialize()
    def open_the_house(self) -> None:
        clock.reset()
        TheHouse.stories += 1
        self.day = clock.today() + timedelta(days=2 * MOST * TheHouse.stories)
        clock.move_to(clock.at_local(self.day, 12))
        self.told, self.mornings = set(), Counter()
        self.people = [ids.new_id("ps") for _ in range(2)]
        self.subjects = {
            payments.subject_of_case(case): (case, FEE) for case in (ids.new_id("cs") for _ in range(2))
        }
        bill = replace(FINE_OF_100_YUAN, notice_no=ids.digits(20), issued_on=clock.today())
        self.bill = run_unit(lambda u: payments.issue_bill(u, bill, STAFF[0])).id
        self.subjects[payments.subject_of_bill(self.bill)] = (self.bill, 10_000)
        self.matters = {matter for matter, _ in self.subjects.values()}
        self.mail = []
        self.ended: dict[str, str] = {}
        for one in self.channels.values():
            one.orders.clear()
            one.dead = one.refuses = one.stuck = False
            one.slow = one.name == "alipay"

    @rule(what=st.sampled_from([name for name, weight in WEIGHTS.items() for _ in range(weight)]), by=dice)
    def step(self, what: str, by: Dice) -> None:
        try:
            getattr(self, what)(by)
            DONE[what] += 1
        except Problem as refused:
            DONE[f"{what}: {refused.slug}"] += 1

    @invariant()
    def our_books_are_sound(self) -> None:
        if not hasattr(self, "subjects"):
            return
        faults = [fault for fault in run_unit(payments.check_books) if "no longer wanted" not in fault]
        assert faults == []
        assert [fault for one in self.channels.values() for fault in one.faults] == []
        self.booked_is_on_account()
        for public_id, state in run_unit(
            lambda u: u.session.execute(ALL, {"ours": list(self.matters)}).all()
        ):
            self._stays_ended(public_id, state, ENDS)

    def teardown(self) -> None:
        """Everybody is well again, and everything silent is asked about: both books agree to the fen."""
        if not hasattr(self, "subjects"):
            return
        for one in self.channels.values():
            one.dead = one.refuses = one.slow = one.stuck = False
        clock.advance(timedelta(minutes=31))
        for _ in range(3):
            make_due()
            tasks.sweep()
            tasks.sweep_refunds()
        self.our_books_are_sound()
        self._nothing_is_stuck()
        make_due()
        tasks.sweep_refunds()
        self.our_books_are_sound()
        assert run_unit(lambda u: payments.refunds_at_desk(u, UNDER_WAY, None)) == []
        self.tell_the_rest()
        self.our_books_are_sound()
        self._both_sides_agree()
        clock.reset()

    def _nothing_is_stuck(self) -> None:
        for one in self._payments():
            came = self.channels[one.channel].orders[one.number].came_fen
            assert one.state not in OPEN, "it never ended"
            if (
                one.state == "closed" and came
            ):  # money after the end: the provider pushes it, or the statement finds it
                callbacks.hear(
                    payments.settle,
                    self.channels[one.channel].news_of(self.channels[one.channel].orders[one.number]),
                )
                one = run_unit(lambda u, p=one: payments.payment_of(u, p.id))
            assert (one.state in HOLDING_MONEY) == bool(came)
            if one.state == "refunding":
                ways = {back.state for back in run_unit(lambda u, p=one: payments.refunds_of(u, p.id))}
                assert ways & {"listed", "submitted", "requested", "sent"}
        settling = Counter(one.subject for one in self._payments() if one.settles)
        assert not settling or max(settling.values()) == 1

    def _both_sides_agree(self) -> None:
        """What a channel holds, kept, paid out and owes an explanation for is what its payers left with it."""
        now = run_unit(payments.balances)
        for name, channel in self.channels.items():
            LEFT[name] += sum(order.left_fen for order in channel.orders.values())
            held = sum(now.get(f"{kind}:{name}", 0) for kind in ("clearing", "fee", "difference"))
            came = LEFT[name] + run_unit(lambda u, c=name: came_beside(u, c))
            assert held + run_unit(lambda u, c=name: paid_out(u, c)) == came
        nets = sum(run_unit(lambda u, c=name: paid_out(u, c)) for name in self.channels)
        assert now.get("bank:BZ-TEST", 0) == nets - run_unit(from_treasury)
        assert sum(now.values()) == 0

    def _stays_ended(self, public_id: str, state: str, ends: frozenset[str]) -> None:
        before = self.ended.get(public_id)
        corrected = (before, state) == ("failed", "succeeded")  # the channel's no was none
        assert before in (None, state) or corrected, f"{public_id} left its end {before}"
        SEEN.add(state)
        if state in ends:
            self.ended[public_id] = state


def tell_by_dice(chance: random.Random) -> None:
    """A long story without an author: Hypothesis likes to repeat itself, and some things are seldom."""
    story = TheHouse()
    story.open_the_house()
    for what in chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=LONG):
        story.step(what, Dice(chance.randrange(12), chance.randrange(10), chance.random() < 0.5))
        story.our_books_are_sound()
    story.teardown()


@pytest.mark.timeout(300 + 4 * DEEP)
def test_any_order_of_steps_keeps_every_fen(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    DONE.clear()
    SEEN.clear()
    TheHouse.channels = {name: ModelChannel(name) for name in ("wechat_pay", "alipay")}
    monkeypatch.setattr(asking, "channel", TheHouse.channels.__getitem__)
    with fresh_town():
        LEFT.clear()
        TheHouse.stories = 0
        for number in range(DEEP or DICED):
            tell_by_dice(random.Random(f"{number} {os.urandom(8).hex() if DEEP else ''}"))
        run_state_machine_as_test(TheHouse, settings=STORIES, _min_steps=35)
    assert all(one.after_all for one in TheHouse.channels.values()), "what was refused never came back"
    assert set(WEIGHTS) <= set(DONE), f"steps that never succeeded: {set(WEIGHTS) - set(DONE)}"
    assert (PAYMENT.states | REFUND.states) <= SEEN, "states that nobody saw"
