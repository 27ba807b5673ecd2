"""What people, channels and the finance office do in the stories of `test_every_fen`, one deed a method."""

from datetime import timedelta

from sqlalchemy import text

import payments
from backend.contracts import FeeNotWanted, Notice
from backend.kernel import clock
from backend.runtime import callbacks
from backend.store.unit import Actor, run_unit
from payments import tasks
from payments.machine import RETURNABLE, SENT, STUCK, SUBMITTED, SUCCEEDED
from payments.models import number_of
from payments.reactions import on_fee_not_wanted
from tests.payments.statement_deeds import Dice, StatementDeeds

STAFF = tuple(Actor("staff", f"st-{name}", "缴费窗口") for name in ("one", "two"))
IN_HAND = (SENT, STUCK, SUBMITTED)
FEE = 120_000
"""A case's fee: above the threshold of four eyes as a whole, below it in halves."""


class Deeds(StatementDeeds):
    """Two payers, two channels; two cases and a bill to pay for."""

    people: list[str]
    subjects: dict[str, tuple[str, int]]
    bill: str
    mail: list[Notice]

    def open_one(self, by: Dice) -> None:
        subject, (matter, fee) = list(self.subjects.items())[by.which % 3]
        channel, person = list(self.channels)[by.other % 2], self.people[int(by.yes)]
        view = run_unit(
            lambda u: payments.open_payment(
                u, subject=subject, matter=matter, person_id=person, payee="BZ-TEST", amount_fen=fee,
                channel=channel, title="测试费用", by=Actor("citizen", person),
            )
        )  # fmt: skip
        self.channels[channel].know(view.number, fee)
        if by.other < 8:
            run_unit(lambda u: payments.attach_ticket(u, view.id, f"ticket-{view.id}"))

    def pay(self, by: Dice) -> None:
        """Also one that we think is over: the provider was faster."""
        self._pay(by, 0)

    def pay_another_sum(self, by: Dice) -> None:
        self._pay(by, 1 if by.yes else -1)

    def push(self, by: Dice) -> None:
        """News arrive in any order, and some never do."""
        if self.mail:
            callbacks.hear(payments.settle, self.mail.pop(by.which % len(self.mail)))

    def push_again(self, by: Dice) -> None:
        """The same fact in another envelope."""
        channel = list(self.channels.values())[by.other % 2]
        paid = [order for order in channel.orders.values() if order.came_fen]
        if paid:
            callbacks.hear(payments.settle, channel.news_of(paid[by.which % len(paid)]))

    def sweep(self, by: Dice) -> None:
        del by
        make_due()
        tasks.sweep()

    def time_passes(self, by: Dice) -> None:
        clock.advance(timedelta(minutes=31 if by.yes else 5))

    def lose_the_shutting(self, by: Dice) -> None:
        """We heard that it is shut, and it is not: the provider will take money for a closed payment."""
        for channel in self.channels.values():
            for order in list(channel.orders.values())[by.which % 3 :: 3]:
                order.shut = False

    def correct(self, by: Dice) -> None:
        """The provider finds out that the sum it told was wrong, before its statement has told it."""
        for channel in self.channels.values():
            for order in channel.orders.values():
                if (
                    order.came_fen not in (0, order.asked_fen)
                    and not order.back
                    and (order.number, "") not in self.told
                    and not self._going_back(order.number)
                ):
                    order.came_fen = order.asked_fen
                    if by.yes:
                        self.mail.append(channel.news_of(order))

    def ask_back(self, by: Dice) -> None:
        one = self._choose(by, RETURNABLE)
        if one is not None:
            payer = Actor("citizen", one.person_id)
            amount = self._part(one, by)
            run_unit(lambda u: payments.ask_for_refund(u, one.id, one.person_id, amount, "重复办理", payer))

    def give(self, by: Dice) -> None:
        one = self._choose(by, RETURNABLE)
        if one is not None:
            staff, amount = STAFF[int(by.yes)], self._part(one, by)
            run_unit(lambda u: payments.request_refund(u, one.id, amount, "多收费用", staff))

    def take_back(self, by: Dice) -> None:
        waiting = [one for one in self._refunds_in("asked", "second") if one.asked_by == one.person_id]
        if waiting:
            one = waiting[by.which % len(waiting)]
            payer = Actor("citizen", one.person_id)
            pay, back = one.refund.payment_id, one.refund.id
            run_unit(lambda u: payments.withdraw_refund(u, pay, back, payer.id, payer))

    def retry(self, by: Dice) -> None:
        failed = [one for one in self._refunds_in("failed") if self._sums_agree(one)]
        if failed:
            one, staff = failed[by.which % len(failed)].refund.id, STAFF[int(by.yes)]
            run_unit(lambda u: payments.retry_refund(u, one, staff))

    def get_stuck(self, by: Dice) -> None:
        """A channel has taken the money of refunds and cannot pass it on, until it is well again."""
        list(self.channels.values())[by.which % 2].stuck = True
        self.return_over_channel(by)

    def come_back_after_all(self, by: Dice) -> None:
        """What a channel has refused goes back all the same: it tells us, or we ask before we send it again."""
        denied = self._denied()
        if not denied:
            self._refuse_all(by)
            denied = self._denied()
        if not denied:
            return
        one = denied[by.which % len(denied)]
        news = self.channels[one.channel].return_denied(one.payment_number, number_of(one.refund.id))
        if by.yes and one.may_retry and self._sums_agree(one):
            run_unit(lambda u: payments.retry_refund(u, one.refund.id, STAFF[0]))
        if by.other < 5:
            self.return_over_channel(by)
        callbacks.hear(payments.settle, news)

    def _sums_agree(self, one: payments.RefundAtDesk) -> bool:
        """Staff look at the channel's own books first: what it has corrected is not given back."""
        return self.channels[one.channel].orders[one.payment_number].came_fen == one.paid_fen

    def _refuse_all(self, by: Dice) -> None:
        for channel in self.channels.values():
            channel.refuses, channel.dead = True, False
        self.return_over_channel(by)
        for channel in self.channels.values():
            channel.refuses = False

    def _denied(self) -> list[payments.RefundAtDesk]:
        return [one for one in self._refunds_in("failed") if self._may_come_back(one)]

    def _may_come_back(self, one: payments.RefundAtDesk) -> bool:
        """The channel still has that much, and nobody is about to give it back another way."""
        order = self.channels[one.channel].orders[one.payment_number]
        fen = order.denied.get(number_of(one.refund.id), one.paid_fen + 1)
        others = run_unit(lambda u: payments.refunds_of(u, one.refund.payment_id))
        gone = sum(back.amount_fen for back in others if back.state in (*IN_HAND, SUCCEEDED))
        return fen <= min(order.left_fen, one.paid_fen - gone)

    def decide(self, by: Dice) -> None:
        waiting = [one for one in self._refunds_in("asked", "second") if self._sums_agree(one)]
        if waiting:
            one, staff = waiting[by.which % len(waiting)].refund.id, STAFF[int(by.yes)]
            if by.other < 7:
                run_unit(lambda u: payments.approve_refund(u, one, staff))
            else:
                run_unit(lambda u: payments.refuse_refund(u, one, "不符合条件", staff))

    def return_over_channel(self, by: Dice) -> None:
        del by
        make_due()
        tasks.sweep_refunds()

    def trouble(self, by: Dice) -> None:
        """A channel falls silent, refuses refunds, takes its time; or is well again."""
        channel = list(self.channels.values())[by.which % 2]
        channel.dead, channel.refuses, channel.slow = (by.other % 6 == kind for kind in (1, 2, 3))
        channel.stuck = False

    def contest(self, by: Dice) -> None:
        one = self._choose(by, ("paid",))
        if one is not None:
            run_unit(lambda u: payments.contest(u, one.id, "付款人否认", STAFF[0]))

    def clear(self, by: Dice) -> None:
        one = self._choose(by, ("disputed",))
        if one is not None:
            run_unit(lambda u: payments.clear(u, one.id, "已核实", STAFF[0]))

    def give_back_held(self, by: Dice) -> None:
        """Staff look at the channel's own books first: what it has corrected is not given back."""
        one = self._choose(by, ("disputed",))
        if one is not None and self.channels[one.channel].orders[one.number].came_fen == one.received_fen:
            run_unit(lambda u: payments.give_back(u, one.id, "金额不符", STAFF[0]))

    def treasury(self, by: Dice) -> None:
        listed = self._refunds_in("listed", "submitted")
        if not listed:
            return
        one, office = listed[by.which % len(listed)].refund, STAFF[1]
        if one.state == "listed":
            run_unit(lambda u: payments.submit_to_treasury(u, one.id, "TF-1", office))
        elif by.other < 7:
            run_unit(lambda u: payments.treasury_paid(u, one.id, office))
        else:
            run_unit(lambda u: payments.treasury_failed(u, one.id, "账号有误", office))

    def unwanted(self, by: Dice) -> None:
        """A case that has ended gives its fee up."""
        one = self._choose(by, ("paid", "disputed", "partly_refunded"))
        if one is not None and one.subject.startswith("case:") and one.settles:
            run_unit(lambda u: on_fee_not_wanted(u, FeeNotWanted(one.matter, one.person_id, one.id)))

    def withdraw(self, by: Dice) -> None:
        if by.which < 3:
            run_unit(lambda u: payments.withdraw_bill(u, self.bill, None, "撤销", STAFF[0]))

    def _pay(self, by: Dice, more: int) -> None:
        channel = list(self.channels.values())[by.other % 2]
        if channel.orders:
            number = list(channel.orders)[by.which % len(channel.orders)]
            news = channel.take_money(number, channel.orders[number].asked_fen + more)
            if news is not None:
                self.mail.append(news)

    def _payments(self) -> list[payments.PaymentView]:
        return [
            one
            for subject in self.subjects
            for one in run_unit(lambda u, s=subject: payments.payments_for(u, s))
        ]

    def _refunds_in(self, *states: str) -> list[payments.RefundAtDesk]:
        every = run_unit(lambda u: payments.refunds_at_desk(u, states, None))
        return [one for one in every if one.subject in self.subjects]

    def _choose(self, by: Dice, states: tuple[str, ...]) -> payments.PaymentView | None:
        fitting = [one for one in self._payments() if one.state in states]
        return fitting[by.which % len(fitting)] if fitting else None

    def _part(self, one: payments.PaymentView, by: Dice) -> int | None:
        return (None, one.amount_fen // 2, one.amount_fen // 3, 1, one.amount_fen)[by.other % 5]

    def _going_back(self, number: str) -> bool:
        [one] = [one for one in self._payments() if one.number == number]
        return one.state == "refunding"


def make_due() -> None:
    """Let every question be asked now."""
    for table in ("payments_payment", "payments_refund"):
        turned = text(f"UPDATE {table} SET ask_next_at = :at")
        run_unit(lambda u, t=turned: u.session.execute(t, {"at": clock.wire_now() - timedelta(seconds=1)}))
