"""What the channels' statements bring into the stories of `test_every_fen`: true lines and others, settled and decided.

A story's first statement of a channel is of the day it plays on; those of the days after bring what is told late.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import select, text

import payments
from backend.store.unit import Actor, Unit, run_unit
from payments.reconciliation import ask_again, confirm, decide, explaining, fetching, tasks
from payments.reconciliation import machine as m
from payments.reconciliation.matching import booking_of
from payments.reconciliation.models import Difference, Settlement, Statement
from tests.payments.model_channel import ModelChannel
from tests.payments.statement_makers import WRITERS, Told, file_of, wish

OFFICE = tuple(Actor("staff", f"st-{name}", "市财政局") for name in ("three", "four"))
FEE_PPM = 6000
MOST = 19
"""Statements of a channel in one story."""
_LOOK_NOW = text("UPDATE payments_difference SET look_next_at = now() - interval '1 minute'")
_FROM_TREASURY = text(
    "SELECT coalesce(sum(amount_fen), 0) FROM payments_refund WHERE state = 'succeeded' AND way <> 'channel'"
)


class Dice(NamedTuple):
    """What a story leaves a step to choose by."""

    which: int
    other: int
    yes: bool


class StatementDeeds:
    """Every line is told once in the end; some are told late, twice, with another sum, or are no money of ours."""

    channels: dict[str, ModelChannel]
    day: date
    told: set[tuple[str, str]]
    mornings: dict[str, int]

    def statement(self, by: Dice) -> None:
        channel = list(self.channels)[by.which % 2]
        lines = list(self._untold(channel))
        twist = ("late", "twice", "changed", "stranger")[by.other % 4] if by.other < 8 else ""
        if lines and twist:
            place = by.which % len(lines)
            lines[place : place + 1] = _twisted(lines[place], twist)
        self._morning(channel, lines)

    def ask_difference(self, by: Dice) -> None:
        if one := _chosen(by, m.OPEN):
            ask_again(one, "再次询问", OFFICE[0])

    def decide_difference(self, by: Dice) -> None:
        if one := _chosen(by, m.OPEN):
            decision = m.BOOK if by.yes else m.WAIT
            run_unit(lambda u: decide(u, one, decision, "核对后处理", OFFICE[0]))

    def confirm_difference(self, by: Dice) -> None:
        if one := _chosen(by, m.SECOND, m.EXPLAINING):
            run_unit(lambda u: confirm(u, one, by.other < 8, "复核", OFFICE[1]))

    def explain_difference(self, by: Dice) -> None:
        if one := _chosen(by, m.BOOKED):
            to = (m.TO_CHANNEL, m.TO_FEE, m.TO_PAYEE)[by.other % 3]
            payee = "BZ-TEST" if to == m.TO_PAYEE else None
            run_unit(lambda u: explaining.explain(u, one, to, "已查明", OFFICE[0], department_id=payee))

    def look_at_differences(self, by: Dice) -> None:
        del by
        run_unit(lambda u: u.session.execute(_LOOK_NOW))
        tasks.look_again()

    def tell_the_rest(self) -> None:
        """What was told late comes; whatever was only missing there is missing no more."""
        for channel in self.channels:
            self._morning(channel, list(self._untold(channel)))
        self.look_at_differences(Dice(0, 0, True))
        assert run_unit(_missing_there) == []

    def booked_is_on_account(self) -> None:
        """The difference accounts hold what is booked and not explained, no fen else."""
        balances = run_unit(payments.balances)
        for channel in self.channels:
            booked = run_unit(lambda u, c=channel: _booked(u, c))
            assert balances.get(f"difference:{channel}", 0) == -booked

    def _untold(self, channel: str) -> Iterator[Told]:
        for order in self.channels[channel].orders.values():
            if order.came_fen:
                yield Told(order.number, order.came_fen, fee=order.came_fen * FEE_PPM // 1_000_000)
            for number, fen in order.back.items():
                yield Told(order.number, fen, number, fee=fen * FEE_PPM // 1_000_000)

    def _morning(self, channel: str, lines: list[Told]) -> None:
        """The next statement of a channel, with all its lines that no earlier one has told."""
        fresh = [one for one in lines if (one.number, one.back) not in self.told]
        if self.mornings[channel] > MOST:
            return
        wanted = wish(channel, self.day + timedelta(days=self.mornings[channel]))
        self.mornings[channel] += 1
        assert fetching.take_in(wanted, file_of(WRITERS[channel](wanted.day, fresh), channel))
        assert tasks.compare(wanted)
        self.told |= {(one.number, one.back) for one in fresh}


def paid_out(u: Unit, channel: str) -> int:
    """Net fen of every settlement of a channel, and of the differences it paid out beside them."""
    nets = u.session.scalars(select(Settlement.net_fen).where(Settlement.channel == channel))
    return sum(nets) + sum(one.payout_fen or 0 for one in _payees(u, channel))


def came_beside(u: Unit, channel: str) -> int:
    """Fen of strangers and of lines told again that were a payee's own: no payer of ours left them."""
    return sum(booking_of(one) for one in _payees(u, channel))


def from_treasury(u: Unit) -> int:
    """Fen that went back out of the bank, and over no channel."""
    return int(u.session.scalar(_FROM_TREASURY) or 0)


def _payees(u: Unit, channel: str) -> list[Difference]:
    rows = select(Difference).join(Statement, Statement.id == Difference.statement_id)
    return list(
        u.session.scalars(rows.where(Statement.channel == channel, Difference.payout_fen.is_not(None)))
    )


def _twisted(line: Told, twist: str) -> list[Told]:
    changed = replace(line, fen=line.fen + 2)  # never what wrong news have told, which are one fen off
    stranger = replace(line, number=f"stranger{line.number}"[:32], back="")
    return {"late": [], "twice": [line, line], "changed": [changed], "stranger": [line, stranger]}[twist]


def _chosen(by: Dice, *states: str) -> str:
    wanted = select(Difference.id).where(Difference.state.in_(states)).order_by(Difference.id)
    found = run_unit(lambda u: list(u.session.scalars(wanted)))
    return found[by.which % len(found)] if found else ""


def _booked(u: Unit, channel: str) -> int:
    rows = select(Difference).join(Statement, Statement.id == Difference.statement_id)
    booked = rows.where(Statement.channel == channel, Difference.state.in_(m.ON_ACCOUNT))
    return sum(booking_of(row) for row in u.session.scalars(booked))


def _missing_there(u: Unit) -> list[str]:
    unended = Difference.state.in_(m.UNENDED)
    return list(u.session.scalars(select(Difference.number).where(unended, Difference.theirs_fen.is_(None))))
