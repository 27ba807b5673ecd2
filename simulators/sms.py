"""Aliyun SMS: SendSms and QuerySendDetails over ACS3, delivery reports pushed to the product.

Numbers that begin with 1700000000 misbehave on purpose: see ``_MAGIC``.
"""

import json
import re
import uuid
from typing import Any

from flask import Blueprint, Response, request

from simulators import preferences, sms_limits, sms_signature
from simulators.answers import json_answer, number_text
from simulators.books import Doc, Page
from simulators.clock import moment, plain
from simulators.outbox import Route, Sealed
from simulators.templates import SmsTemplate
from simulators.world import World, current_world, under_weather

desk = Blueprint("sms", __name__)

_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LONGEST_VALUE, _LONGEST_BODY = 35, 500

# last digit after 1700000000 -> refused at once with this code, or this error in the delivery report
_MAGIC = {
    "1": ("", "MK:0001", "号码状态异常:空号"),
    "2": ("isv.MOBILE_NUMBER_ILLEGAL", "", "号码不合法"),
    "3": ("isv.BUSINESS_LIMIT_CONTROL", "", "触发天级流控Permits:10"),
    "4": ("isv.AMOUNT_NOT_ENOUGH", "", "账户余额不足"),
    "5": ("", "silent", "回执永不到达"),
    "6": ("isp.SYSTEM_ERROR", "", "系统错误"),
}


class _Refused(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


@desk.route("/sms", methods=["POST", "GET"], strict_slashes=False)
@desk.route("/sms/", methods=["POST", "GET"])
def gateway() -> Response:
    """The one address of the API; ``x-acs-action`` names the verb."""
    world, action = current_world(), request.headers.get("x-acs-action", "")
    verbs = {"SendSms": ("send", _send), "QuerySendDetails": ("query", _query)}
    if action not in verbs:
        return _trouble(404, "InvalidAction.NotFound", "Specified api is not found.")
    verb, act = verbs[action]

    def serve() -> Response:
        try:
            sms_signature.verify(world, request, "/")
            return json_answer({"RequestId": _request_id(), "Code": "OK", "Message": "OK"} | act(world))
        except sms_signature.Unsigned as unsigned:
            return _trouble(unsigned.status, unsigned.code, unsigned.message)
        except _Refused as refused:
            return _business(refused.code, refused.message)

    return under_weather(
        world, "sms", verb, serve, lambda code: _business(code or "isp.SYSTEM_ERROR", "故障")
    )


def route(world: World) -> Route:
    """How delivery reports travel: unsigned JSON to an address that holds a secret."""

    def seal(content: Doc, forged: str) -> Sealed:
        token = "no-such-token" if forged else world.keys["SMS_REPORT_TOKEN"]
        url = f"{world.product_base_url}/callbacks/notifications/sms_aliyun/{token}"
        body = json.dumps([content], ensure_ascii=False).encode()
        return Sealed(url, {"Content-Type": "application/json;charset=UTF-8"}, body)

    return Route(seal, _report_accepted)


def _report_accepted(status: int, answer: bytes) -> bool:
    try:
        return status == 200 and json.loads(answer)["code"] == 0
    except (ValueError, KeyError, TypeError):
        return False


def _send(world: World) -> Doc:
    phones = [_phone(raw) for raw in request.values.get("PhoneNumbers", "").split(",")]
    if request.values.get("SignName") != world.keys["SMS_ALIYUN_SIGN_NAME"]:
        raise _Refused("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
    template = world.templates.sms(request.values.get("TemplateCode", ""))
    if template is None:
        raise _Refused("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模版")
    text = f"【{world.keys['SMS_ALIYUN_SIGN_NAME']}】{_render(template)}"
    biz_id = f"{number_text(18)}^0"
    with world.books.turn() as page:
        for phone in phones:
            _refuse_magic(phone)
            if (level := sms_limits.exceeded(page, phone, template, world.clock.now())) is not None:
                raise _Refused("isv.BUSINESS_LIMIT_CONTROL", level)
            _hand_over(world, page, phone, template, text, biz_id)
    return {"BizId": biz_id}


def _phone(raw: str) -> str:
    match = _MOBILE.fullmatch(raw.strip())
    if match is None:
        raise _Refused("isv.MOBILE_NUMBER_ILLEGAL", f"{raw}号码格式错误")
    return match[1]


def _render(template: SmsTemplate) -> str:
    given = _values()

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if given.get(name) in (None, ""):
            raise _Refused("isv.TEMPLATE_MISSING_PARAMETERS", f"模版缺少变量:{name}")
        return _checked(name, str(given[name]))

    body = _VARIABLE.sub(fill, template.text)
    if len(body) > _LONGEST_BODY:
        raise _Refused("isv.PARAM_LENGTH_LIMIT", f"短信内容超过{_LONGEST_BODY}字")
    return body


def _values() -> dict[str, Any]:
    try:
        given = json.loads(request.values.get("TemplateParam") or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _Refused("isv.INVALID_JSON_PARAM", "JSON参数不合法,只接受字符串值")
    return given


def _checked(name: str, value: str) -> str:
    if len(value) > _LONGEST_VALUE:
        raise _Refused("isv.PARAM_LENGTH_LIMIT", f"变量{name}超过{_LONGEST_VALUE}个字符")
    if "http://" in value or "https://" in value:
        raise _Refused("isv.PARAM_NOT_SUPPORT_URL", f"变量{name}不支持网址")
    if "【" in value or "】" in value:
        raise _Refused("isv.BLACK_KEY_CONTROL_LIMIT", f"变量{name}含有黑名单关键字")
    return value


def _hand_over(world: World, page: Page, phone: str, template: SmsTemplate, text: str, biz_id: str) -> None:
    now = world.clock.now()
    error, says = _magic_report(phone)
    message: Doc = {
        "id": f"sms-{page.count_up('sms.number')}",
        "phone": phone,
        "text": text,
        "template": template.code,
        "verification": template.is_verification,
        "out_id": request.values.get("OutId", ""),
        "biz_id": biz_id,
        "parts": sms_limits.parts(text),
        "sent_at": now.isoformat(),
        "error": error,
    }
    page.put(sms_limits.MESSAGES, message["id"], message, topic=phone)
    if error == "silent":
        return
    report = {
        "phone_number": phone,
        "send_time": plain(now),
        "report_time": plain(now),
        "success": not error,
        "err_code": error or "DELIVERED",
        "err_msg": says or "用户接收成功",
        "sms_size": str(message["parts"]),
        "biz_id": biz_id,
        "out_id": message["out_id"],
    }
    seconds = preferences.read(page)["sms_report_seconds"]
    world.outbox.post(page, "sms", "report", phone, report, after_seconds=seconds)


def _magic(phone: str) -> tuple[str, str, str]:
    if phone.startswith("1700000000"):
        return _MAGIC.get(phone[-1], ("", "", ""))
    return "", "", ""


def _refuse_magic(phone: str) -> None:
    code, _, says = _magic(phone)
    if code:
        raise _Refused(code, says)


def _magic_report(phone: str) -> tuple[str, str]:
    _, error, says = _magic(phone)
    return error, says


def _query(world: World) -> Doc:
    phone, day = _phone(request.values.get("PhoneNumber", "")), request.values.get("SendDate", "")
    with world.books.turn() as page:
        kept = page.all(sms_limits.MESSAGES, phone)
    biz_id = request.values.get("BizId", "")
    found = [_detail(doc) for doc in reversed(kept) if biz_id in ("", doc["biz_id"])]
    found = [detail for detail in found if detail["SendDate"][:10].replace("-", "") == day]
    size, number = int(request.values.get("PageSize", "10")), int(request.values.get("CurrentPage", "1"))
    shown = found[size * (number - 1) : size * number]
    return {"TotalCount": str(len(found)), "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}


def _detail(doc: Doc) -> Doc:
    at = plain(moment(doc["sent_at"]))
    status = {"": 3, "silent": 1}.get(doc["error"], 2)
    return {
        "PhoneNum": doc["phone"],
        "SendStatus": status,
        "ErrCode": {1: "", 2: doc["error"], 3: "DELIVERED"}[status],
        "TemplateCode": doc["template"],
        "Content": doc["text"],
        "SendDate": at,
        "ReceiveDate": at if status == 3 else "",
        "OutId": doc["out_id"],
    }


def _business(code: str, message: str) -> Response:
    # A business refusal of this API still answers HTTP 200.
    return json_answer({"RequestId": _request_id(), "Code": code, "Message": message})


def _trouble(status: int, code: str, message: str) -> Response:
    recommend = "https://api.aliyun.com/troubleshoot?q=" + code
    return json_answer(
        {
            "RequestId": _request_id(),
            "HostId": request.host,
            "Code": code,
            "Message": message,
            "Recommend": recommend,
        },
        status,
    )


def _request_id() -> str:
    return str(uuid.uuid4()).upper()
