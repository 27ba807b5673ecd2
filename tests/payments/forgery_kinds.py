"""Everything a forger does to a genuine notice, and authentic notices about money that is not ours."""

import base64
import random
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1

from backend.kernel import clock
from simulators.signing import rsa_sign
from tests.payments.forgeries import FORM, PATHS, Back, Letter, Money, Workshop

HUGE = 1024 * 1024 + 1


def forged(w: Workshop, money: Money) -> tuple[str, Letter]:
    """A letter that nobody may believe, and the name of what is wrong with it."""
    kinds = WECHAT_FORGERIES if money.channel == "wechat_pay" else ALIPAY_FORGERIES
    kind = w.rng.choice(sorted(kinds))
    return f"{_about(money)} {kind}", kinds[kind](w, money)


def useless(w: Workshop, money: Money) -> tuple[str, Letter]:
    """An authentic letter about money that is not ours, or of no usable sum."""
    kinds = STRANGERS[_about(money)]
    kind = w.rng.choice(sorted(kinds))
    return f"{_about(money)} {kind}", w.genuine(money, **kinds[kind](w))


def _about(money: Money) -> str:
    return f"{money.channel} refund" if isinstance(money, Back) else money.channel


def flipped(rng: random.Random, text: bytes) -> bytes:
    """One bit of a text turned."""
    twisted = bytearray(text)
    twisted[rng.randrange(len(twisted))] ^= 1 << rng.randrange(7)
    return bytes(twisted)


def cut(rng: random.Random, text: bytes) -> bytes:
    return text[: rng.randrange(len(text))]


def sha1_signed(key: RSAPrivateKey, text: bytes) -> str:
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA1())).decode()


def another_signature(rng: random.Random, signature: str) -> str:
    """Base64 that stands for other bytes: the last letter has bits that mean nothing."""
    while True:
        raw = bytearray(base64.b64decode(signature))
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        keep = rng.choice((len(raw), len(raw), rng.randrange(len(raw))))
        return base64.b64encode(bytes(raw[:keep])).decode()


def _with(letter: Letter, **headers: str) -> Letter:
    return replace(letter, headers=letter.headers | {n.replace("_", "-"): v for n, v in headers.items()})


def _signed_text(letter: Letter) -> bytes:
    told = letter.headers
    return f"{told['Wechatpay-Timestamp']}\n{told['Wechatpay-Nonce']}\n".encode() + letter.body + b"\n"


def _wechat_body(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    twist = w.rng.choice((flipped, cut, lambda _r, text: text + b" ", lambda _r, text: b" " + text))
    return replace(letter, body=twist(w.rng, letter.body))


def _wechat_signature(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    return _with(letter, Wechatpay_Signature=another_signature(w.rng, letter.headers["Wechatpay-Signature"]))


def _wechat_serial(w: Workshop, p: Money) -> Letter:
    known = w.keys["WXPAY_PUBLIC_KEY_ID"]
    serials = (secrets.token_hex(20).upper(), "zz", "", known.lower(), known + " x", known[:-1], known + ",")
    return _with(w.kept(p), Wechatpay_Serial=w.rng.choice(serials))


def _wechat_stamp(w: Workshop, p: Money) -> Letter:
    now = int(clock.wire_seconds())
    stamps = (str(now + w.rng.choice((-1, 1)) * w.rng.randint(1, 10**6)), "0", "-1", "x", "", "1e9", "9" * 30)
    return _with(w.kept(p), Wechatpay_Timestamp=w.rng.choice(stamps))


def _wechat_endless_stamp(w: Workshop, p: Money) -> Letter:
    """So many digits that they are no moment, or no number at all."""
    return _with(w.kept(p), Wechatpay_Timestamp="9" * w.rng.choice((13, 400, 5000)))


def _wechat_old(w: Workshop, p: Money) -> Letter:
    """Rightly signed, but too long ago or in the future."""
    return w.wechat(p, age=w.rng.choice((-1, 1)) * w.rng.randint(310, 10**7))


def _wechat_headers(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    name = w.rng.choice([name for name in letter.headers if name.startswith("Wechatpay")][:4])
    if w.rng.random() < 0.5:
        return replace(letter, headers={k: v for k, v in letter.headers.items() if k != name})
    return replace(letter, headers=letter.headers | {name: secrets.token_hex(16)})


def _wechat_stranger(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    return _with(letter, Wechatpay_Signature=rsa_sign(w.stranger, _signed_text(letter)))


def _wechat_sha1(w: Workshop, p: Money) -> Letter:
    letter, key = w.kept(p), w.keys.pairs["wxpay_platform"]
    return _with(letter, Wechatpay_Signature=sha1_signed(key, _signed_text(letter)))


def _wechat_probe(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    probe = "WECHATPAY/SIGNTEST/" + letter.headers["Wechatpay-Signature"]
    return _with(letter, Wechatpay_Signature=probe)


def _wechat_nonsense(w: Workshop, p: Money) -> Letter:
    """Rightly signed, but nothing in it that could be opened."""
    bodies: tuple[Callable[[], Letter], ...] = (
        lambda: w.signed(w.rng.choice((b"", b"{}", b"[]", b"null", b"1", b"\xff\xfe", b"{" * 2000)), p),
        lambda: w.wechat(p, key="another key of thirty-two bytes."),
        lambda: w.wechat(p, id=w.rng.choice((None, 1, "x" * 65))),
        lambda: w.wechat(p, resource={"algorithm": w.rng.choice(("NONE", "AEAD_SM4_GCM", None))}),
        lambda: w.wechat(p, resource={"ciphertext": w.rng.choice(("", "AAAA", "%%%", 1, None))}),
        lambda: w.wechat(p, resource={"nonce": w.rng.choice(("", "x", 1, None))}),
        lambda: w.wechat(p, resource={"associated_data": w.rng.choice(("certificate", "", None))}),
    )
    return w.rng.choice(bodies)()


def _wechat_huge(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    return replace(letter, body=letter.body + b" " * HUGE)


def _alipay_value(w: Workshop, p: Money) -> Letter:
    """One field with another value, the signature left as it was."""
    letter = w.kept(p)
    form = letter.form()
    name = w.rng.choice([name for name in form if name not in ("sign", "sign_type")])
    return replace(
        letter, body=urlencode(form | {name: w.rng.choice((form[name] + "0", "x", "0.01"))}).encode()
    )


def _alipay_bytes(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    while True:
        body = w.rng.choice((flipped, cut))(w.rng, letter.body)
        if not _same_words(body, letter.form()):
            return replace(letter, body=body)


def _same_words(body: bytes, form: dict[str, str]) -> bool:
    """Whether the bytes say the same in another spelling: that is no forgery."""
    try:
        told = dict(parse_qsl(body.decode(), keep_blank_values=True))
        return base64.b64decode(told.pop("sign", "")) == base64.b64decode(form["sign"]) and told == {
            name: value for name, value in form.items() if name != "sign"
        }
    except ValueError:
        return False


def _alipay_sign(w: Workshop, p: Money) -> Letter:
    form = w.kept(p).form()
    form["sign"] = w.rng.choice((another_signature(w.rng, form["sign"]), "", "%%%", form["sign"][:-4]))
    return Letter(PATHS["alipay"], {"Content-Type": FORM}, urlencode(form).encode())


def _alipay_type(w: Workshop, p: Money) -> Letter:
    form = w.kept(p).form() | {"sign_type": w.rng.choice(("RSA", "rsa2", "", "MD5", "RSA2 "))}
    return Letter(PATHS["alipay"], {"Content-Type": FORM}, urlencode(form).encode())


def _alipay_sha1(w: Workshop, p: Money) -> Letter:
    form = w.kept(p).form()
    text = "&".join(f"{n}={form[n]}" for n in sorted(form) if n not in ("sign", "sign_type")).encode()
    form["sign"] = sha1_signed(w.keys.pairs["alipay_platform"], text)
    return Letter(PATHS["alipay"], {"Content-Type": FORM}, urlencode(form).encode())


def _alipay_stranger(w: Workshop, p: Money) -> Letter:
    form = w.kept(p).form()
    text = "&".join(f"{n}={form[n]}" for n in sorted(form) if n not in ("sign", "sign_type")).encode()
    form["sign"] = rsa_sign(w.stranger, text)
    return Letter(PATHS["alipay"], {"Content-Type": FORM}, urlencode(form).encode())


def _alipay_twice(w: Workshop, p: Money) -> Letter:
    """A field told twice: whoever reads the first and verifies the last would be deceived."""
    letter, extra = w.kept(p), urlencode({w.rng.choice(("total_amount", "out_trade_no", "sign")): "1.00"})
    bodies = (letter.body + b"&" + extra.encode(), extra.encode() + b"&" + letter.body)
    return replace(letter, body=w.rng.choice(bodies))


def _alipay_more(w: Workshop, p: Money) -> Letter:
    """A field that nobody signed."""
    more = {w.rng.choice(("refund_fee", "gmt_refund", "out_biz_no", "x")): "1.00"}
    return replace(w.kept(p), body=urlencode(w.kept(p).form() | more).encode())


def _alipay_old(w: Workshop, p: Money) -> Letter:
    seconds = w.rng.choice((-w.rng.randint(27 * 3600, 10**7), w.rng.randint(700, 10**6)))
    at = clock.local(clock.now()).timestamp() + seconds
    return w.alipay(p, notify_time=f"{clock.local(_moment(at)):%Y-%m-%d %H:%M:%S}")


def _moment(seconds: float) -> Any:
    now = clock.now()
    return now.fromtimestamp(seconds, now.tzinfo)


def _alipay_nonsense(w: Workshop, p: Money) -> Letter:
    bodies = (b"", b"{}", b"&&&", b"a=b", b"\xff\xfe", b"sign=x&sign_type=RSA2", b"a=%ZZ" * 3, b"a=1&" * 200)
    return Letter(PATHS["alipay"], {"Content-Type": FORM}, w.rng.choice(bodies))


def _alipay_huge(w: Workshop, p: Money) -> Letter:
    letter = w.kept(p)
    return replace(letter, body=letter.body + b"&x=" + b"1" * HUGE)


Forge = Callable[[Workshop, Money], Letter]
WECHAT_FORGERIES: dict[str, Forge] = {
    "body": _wechat_body,
    "signature": _wechat_signature,
    "serial": _wechat_serial,
    "timestamp": _wechat_stamp,
    "endless timestamp": _wechat_endless_stamp,
    "old or future": _wechat_old,
    "header": _wechat_headers,
    "stranger's key": _wechat_stranger,
    "sha-1": _wechat_sha1,
    "probe": _wechat_probe,
    "nonsense": _wechat_nonsense,
}
ALIPAY_FORGERIES: dict[str, Forge] = {
    "value": _alipay_value,
    "bytes": _alipay_bytes,
    "signature": _alipay_sign,
    "sign type": _alipay_type,
    "sha-1": _alipay_sha1,
    "stranger's key": _alipay_stranger,
    "twice": _alipay_twice,
    "more": _alipay_more,
    "old or future": _alipay_old,
    "nonsense": _alipay_nonsense,
}
HUGE_FORGERIES: tuple[tuple[str, Forge], ...] = (("wechat_pay", _wechat_huge), ("alipay", _alipay_huge))
Strange = dict[str, Callable[[Workshop], dict[str, Any]]]
WECHAT_STRANGERS: Strange = {
    "other merchant": lambda w: {"news": {"mchid": "1600000000"}},
    "other app": lambda w: {"news": {"appid": "wx0000000000000000"}},
    "unknown number": lambda w: {"news": {"out_trade_no": f"pay{secrets.token_hex(12)}"}},
    "no amount": lambda w: {"news": {"amount": w.rng.choice((None, {}, {"total": 80.0}, {"total": "8000"}))}},
    "other currency": lambda w: {"news": {"amount": {"total": 8000, "currency": "USD"}}},
}
ALIPAY_STRANGERS: Strange = {
    "other merchant": lambda w: {"seller_id": "2088000000000000"},
    "other app": lambda w: {"app_id": "2021000000000000"},
    "unknown number": lambda w: {"out_trade_no": f"pay{secrets.token_hex(12)}"},
    "no amount": lambda w: {"total_amount": w.rng.choice(("", "80.001", "-80.00", "NaN", "1e2"))},
}
WECHAT_STRANGE_REFUNDS: Strange = {
    "other merchant": lambda w: {"news": {"mchid": "1600000000"}},
    "unknown number": lambda w: {"news": {"out_refund_no": f"rf{secrets.token_hex(12)}"}},
    "no amount": lambda w: {"news": {"amount": w.rng.choice((None, {}, {"refund": 80.0}, {"refund": "80"}))}},
    "other amount": lambda w: {"news": {"amount": {"refund": w.rng.choice((0, 1, 7999, 8001))}}},
    "other currency": lambda w: {"news": {"amount": {"refund": 3000, "currency": "USD"}}},
}
ALIPAY_STRANGE_REFUNDS: Strange = {
    "other merchant": lambda w: {"seller_id": "2088000000000000"},
    "other app": lambda w: {"app_id": "2021000000000000"},
    "unknown number": lambda w: {"out_biz_no": f"rf{secrets.token_hex(12)}"},
    "no amount": lambda w: {"refund_fee": w.rng.choice(("", "30.001", "-30.00", "NaN", "1e2"))},
    "less": lambda w: {"refund_fee": w.rng.choice(("0.00", "0.01", "29.99"))},
}
STRANGERS = {
    "wechat_pay": WECHAT_STRANGERS,
    "alipay": ALIPAY_STRANGERS,
    "wechat_pay refund": WECHAT_STRANGE_REFUNDS,
    "alipay refund": ALIPAY_STRANGE_REFUNDS,
}
ALL_KINDS = 2 * (len(WECHAT_FORGERIES) + len(ALIPAY_FORGERIES)) + sum(map(len, STRANGERS.values()))
