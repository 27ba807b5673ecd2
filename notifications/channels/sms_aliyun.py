"""Short messages by Aliyun: a signed telephone of our own, its refusals as data, and questions by phone and day."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from backend.kernel import clock
from backend.kernel.privacy import scrub
from backend.runtime.outbound import Garbled, OutsideError, Refused, Telephone, Unreachable
from backend.runtime.settings import SmsAliyun as Account
from notifications import wording
from notifications.channels import acs3, sms_text
from notifications.channels.port import (
    Answer,
    Arrived,
    Composed,
    Letter,
    Lost,
    NotSeen,
    NotTaken,
    OnTheWay,
    Outcome,
    Question,
    Taken,
    Unknown,
)
from notifications.channels.sms_reports import beijing, why_lost

VERSION = "2017-05-25"
PAGE_SIZE, MOST_PAGES = 50, 4
FLOW_CONTROL = "isv.BUSINESS_LIMIT_CONTROL"
WAITS = {"分钟级": timedelta(minutes=1), "小时级": timedelta(hours=1), "天级": timedelta(days=1)}
"""Which of the platform's limits was reached; the window rolls, so waiting its length is always enough."""
_LATER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code means to a clerk. Not permanent: it has nothing to do with this message, it may go later."""

    why: str
    permanent: bool = True


REFUSALS: dict[str, Refusal] = {
    "isv.MOBILE_NUMBER_ILLEGAL": Refusal("手机号码不能接收短信"),
    "isv.SMS_TEMPLATE_ILLEGAL": Refusal("短信模板未备案"),
    "isv.SMS_SIGNATURE_ILLEGAL": Refusal("短信签名未备案"),
    "isv.TEMPLATE_MISSING_PARAMETERS": Refusal("短信模板缺少内容"),
    "isv.INVALID_PARAMETERS": Refusal("短信内容格式不对"),
    "isv.INVALID_JSON_PARAM": Refusal("短信内容格式不对"),
    "isv.PARAM_LENGTH_LIMIT": Refusal("短信内容太长"),
    "isv.PARAM_NOT_SUPPORT_URL": Refusal("短信内容带有不允许的链接"),
    "isv.BLACK_KEY_CONTROL_LIMIT": Refusal("短信内容含有不允许的词"),
    "isv.SMS_CONTENT_ILLEGAL": Refusal("短信内容含有不允许的词"),
    "isv.AMOUNT_NOT_ENOUGH": Refusal("短信账户余额不足", permanent=False),
    "isv.OUT_OF_SERVICE": Refusal("短信业务已停机", permanent=False),
    "isv.ACCOUNT_ABNORMAL": Refusal("短信账户异常", permanent=False),
    "isv.DAY_LIMIT_CONTROL": Refusal("短信账户当天额度已用完", permanent=False),
    "isp.RAM_PERMISSION_DENY": Refusal("短信账户没有权限", permanent=False),
    "SignatureDoesNotMatch": Refusal("短信接口签名不正确", permanent=False),
    "InvalidAccessKeyId.NotFound": Refusal("短信接口密钥不存在", permanent=False),
    "InvalidTimeStamp.Expired": Refusal("服务器时间不准", permanent=False),
    "Throttling.User": Refusal("调用太快", permanent=False),
}
_UNPROVEN = frozenset({"isp.SYSTEM_ERROR", "ServiceUnavailable", "InternalError"})
"""Trouble on their side: the message may have gone out all the same."""


class SmsAliyun:
    """One account with one registered signature."""

    name = wording.SMS
    can_ask = True

    def __init__(self, account: Account) -> None:
        self._account = account
        self._host = urlsplit(account.base_url).netloc
        self._telephone = Telephone(self.name, account.base_url, timeout=(3.0, 6.0))

    def compose(self, kind: str, values: Mapping[str, str]) -> Composed:
        words = wording.sms(kind)
        parameters = {name: sms_text.value(wording.value_of(values, name)) or "-" for name in words.variables}
        text = sms_text.signed(self._account.sign_name, wording.fill(words.text, parameters))
        return Composed("", text, words.code, parameters=parameters)

    def send(self, letter: Letter) -> Outcome:
        wish = {
            "PhoneNumbers": letter.to,
            "SignName": self._account.sign_name,
            "TemplateCode": letter.content.template,
            "TemplateParam": json.dumps(letter.content.parameters, ensure_ascii=False),
            "OutId": letter.message_id,
        }
        try:
            answer = self._call("SendSms", wish)
        except Refused as refusal:
            return _not_taken(refusal)
        except Unreachable as error:
            return NotTaken(error.code, error.message, permanent=False)
        except OutsideError as error:
            return Unknown(error.message)
        return Taken(str(answer.get("BizId", "")))

    def ask(self, question: Question) -> Answer:
        """Look for our own number among what was sent to this phone on those days; they keep 30."""
        first, last = clock.day_of(question.called_at), clock.today()
        try:
            found = self._find(question, first) or (self._find(question, last) if last != first else None)
        except OutsideError as error:
            return Unknown(error.message)
        return NotSeen() if found is None else _told(found)

    def _find(self, question: Question, day: date) -> Mapping[str, Any] | None:
        for number in range(1, MOST_PAGES + 1):
            page = _details(self._ask_page(question, day, number))
            for detail in page:
                if detail.get("OutId") == question.message_id:
                    return detail
            if len(page) < PAGE_SIZE:
                return None
        return None

    def _ask_page(self, question: Question, day: date, number: int) -> dict[str, Any]:
        wish = {
            "PhoneNumber": question.to,
            "SendDate": day.strftime("%Y%m%d"),
            "PageSize": str(PAGE_SIZE),
            "CurrentPage": str(number),
        }
        if question.provider_id:
            wish["BizId"] = question.provider_id
        return self._call("QuerySendDetails", wish)

    def _call(self, action: str, wish: Mapping[str, str]) -> dict[str, Any]:
        """One signed call. Raises Refused with their code and words, Garbled, Unreachable or Silent."""
        account, query = self._account, acs3.canonical_query(wish)
        headers = acs3.signed_headers(
            self._host, action, VERSION, query, account.access_key_id, account.access_key_secret
        )
        response = self._telephone.request("POST", f"/?{query}", headers=headers)
        try:
            answer = json.loads(response.body)
            code = str(answer["Code"])
        except (ValueError, KeyError, TypeError) as error:
            raise Garbled(self.name, "an answer that is not theirs", str(response.status)) from error
        if code in _UNPROVEN:
            raise Garbled(self.name, "trouble on their side", code)
        if code != "OK":
            raise Refused(self.name, str(answer.get("Message", "")), code)
        return dict(answer)


def _not_taken(refusal: Refused) -> NotTaken:
    if refusal.code == FLOW_CONTROL:
        wait = next((WAITS[level] for level in WAITS if level in refusal.message), WAITS["小时级"])
        return NotTaken(refusal.code, "发送次数达到上限，稍后再发", permanent=False, wait=wait)
    known = REFUSALS.get(refusal.code, Refusal(scrub(refusal.message) or refusal.code))
    return NotTaken(refusal.code, known.why, known.permanent, None if known.permanent else _LATER)


def _details(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    holder = answer.get("SmsSendDetailDTOs")
    found = holder.get("SmsSendDetailDTO") if isinstance(holder, dict) else None
    return [detail for detail in found if isinstance(detail, dict)] if isinstance(found, list) else []


def _told(detail: Mapping[str, Any]) -> Answer:
    """SendStatus: 1 waiting for the network, 2 failed, 3 delivered."""
    status = str(detail.get("SendStatus"))
    if status == "3":
        return Arrived(beijing(str(detail.get("ReceiveDate", ""))))
    if status == "2":
        code = str(detail.get("ErrCode", ""))
        return Lost(code, why_lost(code))
    return OnTheWay()
