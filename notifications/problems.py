"""What can be refused about messages.

Problem
+-- NotYours 404
|   +-- MessageNotFound    absent, or somebody else's
+-- Conflict 409
    +-- NothingToResend    it arrived, it is on its way, its content is gone, or it speaks of the past
    +-- NoWeChatAccount    grants belong to a WeChat account, and this person has none
"""

from backend.kernel.problems import Conflict, NotYours


class MessageNotFound(NotYours):
    """Absent, or somebody else's."""

    title = "没有找到这条消息，请刷新消息列表后再看。"


class NothingToResend(Conflict):
    """It arrived, it is on its way, its content is gone, or what it speaks of is over."""

    slug = "nothing-to-resend"
    title = "这条消息不需要或不能重发；验证码请让当事人重新获取。"


class NoWeChatAccount(Conflict):
    """Grants belong to a WeChat account, and this person has none."""

    slug = "no-wechat-account"
    title = "您还没有用微信登录过，请先在微信小程序里登录，再开启消息提醒。"
