"""The notifications bureau's door: telling people what they must know, and proving that it was told."""

from notifications.books import check_books
from notifications.grants import card_templates, report_grants
from notifications.hearing import callbacks_blueprint, settle_sms, settle_wechat
from notifications.problems import MessageNotFound, NothingToResend, NoWeChatAccount
from notifications.questions import counts, export_of, inbox_of, messages_about, verify
from notifications.reactions import SUBSCRIPTIONS
from notifications.services import mark_read, resend
from notifications.telling import queue_code
from notifications.views import Counts, GrantView, InboxLine, MessageView, TemplateView, Verdict

__all__ = [
    "SUBSCRIPTIONS",
    "Counts",
    "GrantView",
    "InboxLine",
    "MessageNotFound",
    "MessageView",
    "NoWeChatAccount",
    "NothingToResend",
    "TemplateView",
    "Verdict",
    "callbacks_blueprint",
    "card_templates",
    "check_books",
    "counts",
    "export_of",
    "inbox_of",
    "mark_read",
    "messages_about",
    "queue_code",
    "report_grants",
    "resend",
    "settle_sms",
    "settle_wechat",
    "verify",
]
