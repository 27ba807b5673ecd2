"""The two tables of moves of reconciliation: a day's statement of a channel, and a difference it brought to light."""

from typing import Final

from backend.kernel.machine import Machine, Move

WANTED, FETCHED, RECONCILED = "wanted", "fetched", "reconciled"

_STAFF_READ = "the finance office reads it from its list"

STATEMENT = Machine(
    name="statement",
    start=WANTED,
    moves=(
        Move(WANTED, "troubled", WANTED, "对账单不能采用，稍后重新获取", why=_STAFF_READ),
        Move(WANTED, "fetched", FETCHED, "对账单已取回", why=_STAFF_READ),
        Move(
            FETCHED, "reconciled", RECONCILED, "已与台账逐笔核对", why="DifferenceFound tells what was found"
        ),
    ),
    says={WANTED: "待获取", FETCHED: "核对中", RECONCILED: "已核对"},
    terminal=frozenset({RECONCILED}),
)

OPEN, SECOND, SOLVED = "open", "second", "solved"
WAITING, BOOKED, EXPLAINING = "waiting", "booked", "explaining"
UNSOLVED = (OPEN, SECOND, WAITING)
ON_ACCOUNT = (BOOKED, EXPLAINING)
"""What stands on the difference account until it is explained."""
UNENDED = (*UNSOLVED, *ON_ACCOUNT)

_BOOKS_TELL = "the finance office did it, and the ledger says so"
_FOUND_FIRST = "DifferenceFound told that it was there"

DIFFERENCE = Machine(
    name="difference",
    start=OPEN,
    moves=(
        Move(OPEN, "asked", OPEN, "已再次询问渠道，仍不一致", why=_STAFF_READ),
        Move(OPEN, "booked", BOOKED, "已记入差异账户，待查明", why=_BOOKS_TELL),
        Move(OPEN, "waited", WAITING, "等待另一天的对账单列出", why=_STAFF_READ),
        Move(OPEN, "decided_first", SECOND, "金额较大，等待另一人复核", why=_STAFF_READ),
        Move(SECOND, "confirmed_booking", BOOKED, "复核同意，已记入差异账户，待查明", why=_BOOKS_TELL),
        Move(SECOND, "confirmed_waiting", WAITING, "复核同意，等待另一天的对账单列出", why=_STAFF_READ),
        Move(SECOND, "rejected", OPEN, "复核不同意，重新处理", why=_STAFF_READ),
        Move(WAITING, "reopened", OPEN, "两天的对账单仍未列出，重新处理", why=_STAFF_READ),
        Move(BOOKED, "explained", SOLVED, "差异已查明，差异账户已冲回", why=_BOOKS_TELL),
        Move(BOOKED, "explained_first", EXPLAINING, "查明结果金额较大，等待另一人复核", why=_STAFF_READ),
        Move(EXPLAINING, "confirmed_explanation", SOLVED, "复核同意，差异账户已冲回", why=_BOOKS_TELL),
        Move(EXPLAINING, "rejected_explanation", BOOKED, "复核不同意，继续查明", why=_STAFF_READ),
        *(Move(state, "healed", SOLVED, "渠道与台账已一致", why=_FOUND_FIRST) for state in UNENDED),
        *(Move(state, "appeared", SOLVED, "另一天的对账单已列出", why=_FOUND_FIRST) for state in UNENDED),
    ),
    says={
        OPEN: "待处理",
        SECOND: "待复核",
        WAITING: "待次日",
        BOOKED: "已记账",
        EXPLAINING: "待复核",
        SOLVED: "已处理",
    },
    terminal=frozenset({SOLVED}),
)

PAID_LINE: Final = "paid"
RETURNED_LINE: Final = "returned"

MISSING_HERE, MISSING_THERE = "missing_here", "missing_there"
AMOUNT_DIFFERS, REFUND_DIFFERS = "amount_differs", "refund_differs"
STATE_DIFFERS, TOLD_TWICE = "state_differs", "told_twice"
"""What may be wrong. Told twice: the same line more than once; state: we know the payment but not its money."""

TO_CHANNEL, TO_FEE, TO_PAYEE = "channel", "fee", "payee"
"""How a booked difference is explained.

Channel: it was the channel's mistake and the channel takes it back or has put it right; nobody is paid anything for
it. Fee: the channel kept it. Payee: the money was real and a department's, and the channel pays it out to it.
"""

ASK, BOOK, WAIT = "ask", "book", "wait"
"""What may be done: ask the channel and believe its signed answer; book it as unexplained; wait for another day."""
