"""Small signing clients of the providers, written once more and apart from the simulators' own code."""

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Env = dict[str, str]
SCHEMA = "WECHATPAY2-SHA256-RSA2048"
BROWSER = {"payer_client_ip": "127.0.0.1", "h5_info": {"type": "Wap"}}
"""Where the payer of an H5 order sits."""


def private_key(path: str) -> RSAPrivateKey:
    with open(path, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)
    return key


def public_key(path: str) -> RSAPublicKey:
    with open(path, "rb") as file:
        key = serialization.load_pem_public_key(file.read())
    assert isinstance(key, RSAPublicKey)
    return key


def rsa(path: str, text: str) -> str:
    signature = private_key(path).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


def rsa_check(path: str, text: bytes, signature: str) -> None:
    """Raises InvalidSignature."""
    public_key(path).verify(base64.b64decode(signature), text, padding.PKCS1v15(), hashes.SHA256())


class WxPay:
    """WeChat Pay v3 as a merchant; every answer's signature is verified."""

    def __init__(self, env: Env) -> None:
        self.env, self.age, self.spoil = env, 0, ""
        self.serial = env["WXPAY_MERCHANT_SERIAL"]

    def call(self, method: str, target: str, doc: Any = None) -> requests.Response:
        body = "" if doc is None else json.dumps(doc)
        stamp, nonce = str(int(time.time()) - self.age), secrets.token_hex(16)
        text = f"{method}\n{target}\n{stamp}\n{nonce}\n{body}{self.spoil}\n"
        signature = rsa(self.env["WXPAY_MERCHANT_KEY_FILE"], text)
        fields = {"mchid": self.env["WXPAY_MCHID"], "nonce_str": nonce, "signature": signature}
        fields |= {"timestamp": stamp, "serial_no": self.serial}
        told = ",".join(f'{name}="{value}"' for name, value in fields.items())
        headers = {"Authorization": f"{SCHEMA} {told}", "Accept": "application/json"}
        headers |= {"Content-Type": "application/json", "Wechatpay-Serial": self.env["WXPAY_PUBLIC_KEY_ID"]}
        url = self.env["WXPAY_BASE_URL"] + target
        answer = requests.request(method, url, data=body or None, headers=headers, timeout=5)
        if answer.headers.get("Wechatpay-Signature"):
            self.check(answer.headers, answer.content)
        return answer

    def check(self, headers: Any, body: bytes) -> None:
        assert headers["Wechatpay-Serial"] == self.env["WXPAY_PUBLIC_KEY_ID"]
        assert headers["Wechatpay-Signature-Type"] == SCHEMA
        text = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n".encode() + body + b"\n"
        rsa_check(self.env["WXPAY_PUBLIC_KEY_FILE"], text, headers["Wechatpay-Signature"])

    def resource(self, body: bytes) -> Any:
        sealed = json.loads(body)["resource"]
        opened = AESGCM(self.env["WXPAY_APIV3_KEY"].encode()).decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )
        return json.loads(opened)

    def order(self, openid: str, number: str, fen: int = 8000, **more: Any) -> dict[str, Any]:
        doc = {"appid": self.env["WECHAT_APPID"], "mchid": self.env["WXPAY_MCHID"], "description": "登记费"}
        doc |= {"out_trade_no": number, "notify_url": more.pop("notify_url", "http://127.0.0.1:9/none")}
        return doc | {"amount": {"total": fen, "currency": "CNY"}, "payer": {"openid": openid}} | more

    def client_params(self, prepay_id: str) -> dict[str, str]:
        """What the mini-program hands to wx.requestPayment."""
        params = {"timeStamp": str(int(time.time())), "nonceStr": secrets.token_hex(8)}
        params |= {"package": f"prepay_id={prepay_id}", "signType": "RSA"}
        names = ("timeStamp", "nonceStr", "package")
        text = "".join(f"{part}\n" for part in (self.env["WECHAT_APPID"], *(params[name] for name in names)))
        return params | {"paySign": rsa(self.env["WXPAY_MERCHANT_KEY_FILE"], text)}


class Alipay:
    """Alipay's gateway as a mini-program; every answer's signature is verified over the raw substring."""

    def __init__(self, env: Env) -> None:
        self.env, self.spoil, self.age = env, "", 0

    def params(self, method: str, biz: Any = None, **more: str) -> dict[str, str]:
        beijing = datetime.now(timezone(timedelta(hours=8))) - timedelta(seconds=self.age)
        params = {"app_id": self.env["ALIPAY_APPID"], "method": method, "charset": "utf-8", "version": "1.0"}
        params |= {"sign_type": "RSA2", "timestamp": beijing.strftime("%Y-%m-%d %H:%M:%S")} | more
        if biz is not None:
            params["biz_content"] = json.dumps(biz, ensure_ascii=False)
        text = "&".join(f"{name}={params[name]}" for name in sorted(params) if params[name])
        return params | {"sign": rsa(self.env["ALIPAY_PRIVATE_KEY_FILE"], text + self.spoil)}

    def call(self, method: str, biz: Any = None, in_query: bool = False, **more: str) -> dict[str, Any]:
        params = self.params(method, biz, **more)
        query = {k: v for k, v in params.items() if k != "biz_content"} if in_query else {"charset": "utf-8"}
        body = {"biz_content": params.get("biz_content", "")} if in_query else params
        answer = requests.post(self.env["ALIPAY_GATEWAY_URL"], params=query, data=body, timeout=5)
        answer.encoding = "utf-8"
        return self.read(answer.text, method)

    def read(self, text: str, method: str) -> dict[str, Any]:
        name = method.replace(".", "_") + "_response"
        start = text.index(":") + 1
        if not text.startswith(f'{{"{name}"'):
            assert text.startswith('{"error_response"'), text
        raw = text[start : text.rindex(',"sign"')]
        rsa_check(self.env["ALIPAY_PUBLIC_KEY_FILE"], raw.encode(), json.loads(text)["sign"])
        node: dict[str, Any] = json.loads(raw)
        return node

    def check_notice(self, form: dict[str, str]) -> None:
        kept = sorted(name for name in form if name not in ("sign", "sign_type"))
        text = "&".join(f"{name}={form[name]}" for name in kept)
        rsa_check(self.env["ALIPAY_PUBLIC_KEY_FILE"], text.encode(), form["sign"])


def kdniao(env: Env, path: str, kind: str, data: Any, key: str = "", twice: bool = False) -> dict[str, Any]:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.md5((text + (key or env["KDNIAO_API_KEY"])).encode()).hexdigest()
    sign = base64.b64encode(digest.encode()).decode()
    form = {"RequestData": quote(text) if twice else text, "DataSign": quote(sign) if twice else sign}
    form |= {"EBusinessID": env["KDNIAO_EBUSINESS_ID"], "RequestType": kind, "DataType": "2"}
    answer: dict[str, Any] = requests.post(env["KDNIAO_BASE_URL"] + path, data=form, timeout=5).json()
    return answer


def acs3(env: Env, action: str, params: dict[str, str], **spoilt: str) -> requests.Response:
    """A call signed with ACS3-HMAC-SHA256; ``spoilt`` may give secret, date, nonce, sent_phone."""
    url = env["SMS_ALIYUN_BASE_URL"] + "/"
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": urlsplit(url).netloc,
        "x-acs-action": action,
        "x-acs-version": "2017-05-25",
        "x-acs-date": spoilt.get("date") or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": spoilt.get("nonce") or str(uuid.uuid4()),
        "x-acs-content-sha256": empty,
    }
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(params.items()))
    signed = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/\n{query}\n{lines}\n{signed}\n{empty}"
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    secret = spoilt.get("secret") or env["SMS_ALIYUN_ACCESS_KEY_SECRET"]
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={env['SMS_ALIYUN_ACCESS_KEY_ID']},SignedHeaders={signed},Signature={signature}"
    headers["Authorization"] = f"ACS3-HMAC-SHA256 {credential}"
    return requests.post(f"{url}?{query}", headers=headers, timeout=5)


def sms(env: Env, phone: str, template: str, values: dict[str, str], **more: str) -> dict[str, Any]:
    params = {"PhoneNumbers": phone, "SignName": env["SMS_ALIYUN_SIGN_NAME"], "TemplateCode": template}
    params |= {"TemplateParam": json.dumps(values, ensure_ascii=False)} | more
    answer: dict[str, Any] = acs3(env, "SendSms", params).json()
    return answer


def identity(env: Env, doc: Any, age: int = 0, nonce: str = "", secret: str = "") -> requests.Response:
    body = json.dumps(doc, ensure_ascii=False).encode()
    stamp, nonce = str(int(time.time()) - age), nonce or secrets.token_hex(8)
    text = f"POST\n/identity/verify\n{stamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    sign = hmac.new((secret or env["IDENTITY_SECRET"]).encode(), text.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Key-Id": env["IDENTITY_KEY_ID"], "X-Time": stamp, "X-Nonce": nonce, "X-Signature": sign}
    headers["Content-Type"] = "application/json"
    return requests.post(env["IDENTITY_BASE_URL"] + "/identity/verify", data=body, headers=headers, timeout=5)


def fiscal(
    env: Env, path: str, doc: Any, age: int = 0, nonce: str = "", secret: str = ""
) -> requests.Response:
    """A call to the receipt system; the answer's signature is verified."""
    body = json.dumps(doc, ensure_ascii=False).encode()
    stamp, nonce = str(int(time.time()) - age), nonce or secrets.token_hex(8)
    text = f"POST\n{path}\n{stamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
    sign = hmac.new((secret or env["FISCAL_SECRET"]).encode(), text.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Key-Id": env["FISCAL_KEY_ID"], "X-Time": stamp, "X-Nonce": nonce, "X-Signature": sign}
    answer = requests.post(env["FISCAL_BASE_URL"] + path, data=body, headers=headers, timeout=5)
    told = f"{nonce}\n{answer.status_code}\n{hashlib.sha256(answer.content).hexdigest()}"
    right = hmac.new(env["FISCAL_SECRET"].encode(), told.encode(), hashlib.sha256).hexdigest()
    assert answer.status_code >= 500 or answer.headers["X-Signature"] == right
    return answer
