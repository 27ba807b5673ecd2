"""Cards of the WeChat mini-program (subscribe messages): one accept of a template, one card."""

from collections.abc import Mapping

from backend.kernel.privacy import scrub
from backend.runtime import wechat_client
from backend.runtime.outbound import OutsideError, Refused, Unreachable
from notifications import wording
from notifications.channels.port import Answer, Composed, Letter, NotTaken, Outcome, Question, Taken, Unknown
from notifications.channels.wechat_fields import fit

# errcode -> what it means to a clerk. None of these is repeated as it is (STANDARDS §9).
_REFUSALS: dict[str, str] = {
    "40003": "微信账号无效",
    "40037": "消息模板无效",
    "41030": "小程序页面不存在",
    "43101": "用户没有同意接收，或同意的次数已用完",
    "47003": "模板内容不合规则",
}
GRANT_GONE = "43101"
_PASSING: dict[str, str] = {"45009": "今天的调用次数已用完", "40164": "服务器地址不在白名单"}
"""Refusals that have nothing to do with this message: it may go later."""


class WeChatSubscribe:
    """Sends cards. WeChat has no question "what became of it?": a push event tells, or nobody does."""

    name = wording.WECHAT
    can_ask = False

    def compose(self, kind: str, values: Mapping[str, str]) -> Composed:
        card = wording.card(kind)
        parameters = {f.name: fit(f.name, wording.fill(f.words, values)) for f in card.fields}
        text = "；".join(f"{f.label}：{parameters[f.name]}" for f in card.fields)
        return Composed(card.title, text, card.template_id, wording.fill(card.page, values), parameters)

    def send(self, letter: Letter) -> Outcome:
        content = letter.content
        try:
            msgid = wechat_client.shared().send_subscribe(
                letter.to, content.template, content.parameters, content.page or None
            )
        except Refused as refusal:
            return _refused(refusal)
        except Unreachable as error:
            return NotTaken(error.code, error.message, permanent=False)
        except OutsideError as error:
            return Unknown(error.message)
        return Taken(msgid)

    def ask(self, question: Question) -> Answer:
        return Unknown("this platform cannot be asked")


def _refused(refusal: Refused) -> NotTaken:
    if refusal.code in _PASSING:
        return NotTaken(refusal.code, _PASSING[refusal.code], permanent=False)
    why = _REFUSALS.get(refusal.code, scrub(refusal.message))
    return NotTaken(refusal.code, why, permanent=True, grant_gone=refusal.code == GRANT_GONE)
