"""Reconciliation's door: what the channels say of a day, against what our ledger says."""

from payments.reconciliation.deciding import ask_again, confirm, decide
from payments.reconciliation.machine import ASK, BOOK, DIFFERENCE, STATEMENT, WAIT
from payments.reconciliation.problems import CreditReferenceTaken, NothingToAsk, NotInBooks, SameHands
from payments.reconciliation.questions import (
    credit_of,
    credits_of,
    difference_of,
    differences,
    lines_of,
    settlement_of,
    settlements_of,
    statement_of,
    statements,
)
from payments.reconciliation.settlements import tell_credit
from payments.reconciliation.views import (
    CreditDraft,
    CreditView,
    DifferenceView,
    SettledLine,
    SettlementView,
    StatementView,
)
from payments.reconciliation.workbook import MEDIA, credit_book, settlement_book, statement_book

__all__ = [
    "ASK",
    "BOOK",
    "DIFFERENCE",
    "MEDIA",
    "STATEMENT",
    "WAIT",
    "CreditDraft",
    "CreditReferenceTaken",
    "CreditView",
    "DifferenceView",
    "NotInBooks",
    "NothingToAsk",
    "SameHands",
    "SettledLine",
    "SettlementView",
    "StatementView",
    "ask_again",
    "confirm",
    "credit_book",
    "credit_of",
    "credits_of",
    "decide",
    "difference_of",
    "differences",
    "lines_of",
    "settlement_book",
    "settlement_of",
    "settlements_of",
    "statement_book",
    "statement_of",
    "statements",
    "tell_credit",
]
