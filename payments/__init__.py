"""The payments bureau's door: every fen a citizen owes, pays and gets back."""

from payments.asking import ask_about
from payments.bill_questions import bill_facts_for, bill_of, bills_of, look_up_bill
from payments.bills import issue_bill, load_bills, mark_window_handled, withdraw_bill
from payments.books import check_books
from payments.hearing import callbacks_blueprint
from payments.ledger import balances
from payments.problems import (
    AmountOutOfRange,
    BillNotDue,
    BillNotFound,
    BillNumberTaken,
    ChannelUnknown,
    FeeAlreadyPaid,
    FeeNotDue,
    MustVisitWindow,
    NotRefundable,
    PayerUnknown,
    PaymentNotFound,
    PaymentOver,
    RefundTooLarge,
)
from payments.questions import facts_for, paid_for, payment_of, payments_for, payments_of, refunds_of
from payments.reactions import on_case_withdrawn, on_fee_not_wanted
from payments.receipts import receipt_of
from payments.refunds import request_refund
from payments.services import (
    attach_ticket,
    clear,
    contest,
    open_bill_payment,
    open_payment,
    pay,
    pay_order,
    prepare,
)
from payments.settling import settle
from payments.subjects import close_live, subject_of_bill, subject_of_case
from payments.views import BillDraft, BillView, PaymentView, PayOrder, ReceiptView, RefundView, WindowView

__all__ = [
    "AmountOutOfRange",
    "BillDraft",
    "BillNotDue",
    "BillNotFound",
    "BillNumberTaken",
    "BillView",
    "ChannelUnknown",
    "FeeAlreadyPaid",
    "FeeNotDue",
    "MustVisitWindow",
    "NotRefundable",
    "PayOrder",
    "PayerUnknown",
    "PaymentNotFound",
    "PaymentOver",
    "PaymentView",
    "ReceiptView",
    "RefundTooLarge",
    "RefundView",
    "WindowView",
    "ask_about",
    "attach_ticket",
    "balances",
    "bill_facts_for",
    "bill_of",
    "bills_of",
    "callbacks_blueprint",
    "check_books",
    "clear",
    "close_live",
    "contest",
    "facts_for",
    "issue_bill",
    "load_bills",
    "look_up_bill",
    "mark_window_handled",
    "on_case_withdrawn",
    "on_fee_not_wanted",
    "open_bill_payment",
    "open_payment",
    "paid_for",
    "pay",
    "pay_order",
    "payment_of",
    "payments_for",
    "payments_of",
    "prepare",
    "receipt_of",
    "refunds_of",
    "request_refund",
    "settle",
    "subject_of_bill",
    "subject_of_case",
    "withdraw_bill",
]
