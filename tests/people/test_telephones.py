"""The shared clients of WeChat and Alipay, and the town's one WeChat token."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import text

from backend.runtime import outbound
from backend.runtime.alipay_client import AlipayClient
from backend.runtime.outbound import Garbled, Refused, Silent, Unreachable
from backend.runtime.provider_tokens import SharedToken
from backend.runtime.settings import settings
from backend.runtime.wechat_client import MpClient
from backend.store import unit
from backend.store.unit import run_unit


@pytest.fixture
def cold(corner):
    """Nobody holds a token."""
    run_unit(lambda u: u.session.execute(text("DELETE FROM runtime_provider_token")))
    return corner


def phone_codes(corner, count):
    return [corner.control("/wechat/login", {})["phone_code"] for _ in range(count)]


def fetched(corner):
    return corner.books("wechat")["calls"].get("stable_token", 0)


def test_a_cold_storm_fetches_one_token(cold):
    processes, codes, before = (
        [MpClient(settings().wechat) for _ in range(3)],
        phone_codes(cold, 24),
        fetched(cold),
    )
    with ThreadPoolExecutor(24) as pool:
        phones = list(pool.map(lambda n: processes[n % 3].phone_of(codes[n]), range(24)))
    assert len(set(phones)) == 24
    assert fetched(cold) - before == 1


def test_the_next_process_takes_the_token_from_the_row(cold):
    MpClient(settings().wechat).phone_of(phone_codes(cold, 1)[0])
    before = fetched(cold)
    MpClient(settings().wechat).phone_of(phone_codes(cold, 1)[0])
    assert fetched(cold) == before


def test_the_token_is_sealed_in_its_row(cold):
    client = MpClient(settings().wechat)
    client.phone_of(phone_codes(cold, 1)[0])
    row = run_unit(
        lambda u: u.session.execute(text("SELECT token, lease_until FROM runtime_provider_token")).one()
    )
    assert client._token.current().encode() not in bytes(row[0])
    assert row[1] is None


def test_a_token_the_platform_no_longer_knows_is_replaced(cold):
    client, code = MpClient(settings().wechat), phone_codes(cold, 1)[0]
    client._token = SharedToken(client._token._name, lambda force: ("withdrawn", 7200))
    assert client._token.current() == "withdrawn"
    client._token = SharedToken(client._token._name, client._fetch_token)
    before = fetched(cold)
    assert client.phone_of(code)
    assert fetched(cold) - before == 1


def test_a_platform_that_insists_is_forced_once(database):
    asked = []

    def fetch(force):
        asked.append(force)
        return ("new" if force else "old"), 7200

    token = SharedToken("test.forced", fetch)
    assert (token.current(), token.renewed("old"), token.current()) == ("old", "new", "new")
    assert asked == [False, False, True]


def test_a_platform_that_always_forgets_is_not_asked_for_ever(cold):
    client = MpClient(settings().wechat)
    fault = {"provider": "wechat", "verb": "phone", "kind": "refuse", "code": "42001", "times": 9}
    cold.control("/faults", fault)
    before = cold.books("wechat")["calls"].get("phone", 0)
    with pytest.raises((Refused, Unreachable)):
        client.phone_of("any")
    assert cold.books("wechat")["calls"]["phone"] - before <= 2


def test_without_a_token_nothing_was_sent(cold):
    cold.control(
        "/faults",
        {"provider": "wechat", "verb": "stable_token", "kind": "refuse", "code": "45009", "times": 1},
    )
    with pytest.raises(Unreachable) as told:
        MpClient(settings().wechat).phone_of("any")
    assert told.value.code == "45009"


def test_a_failed_fetch_gives_its_lease_back(cold):
    cold.control("/faults", {"provider": "wechat", "verb": "stable_token", "kind": "5xx", "times": 1})
    client = MpClient(settings().wechat)
    with pytest.raises(Silent):
        client.phone_of("any")
    assert client.phone_of(phone_codes(cold, 1)[0])


def test_a_dead_fetchers_lease_runs_out(database):
    token = SharedToken("test.dead", lambda force: ("fresh", 7200))
    run_unit(lambda u: token._look(u, None))
    run_unit(
        lambda u: u.session.execute(
            text("UPDATE runtime_provider_token SET lease_until = lease_until - interval '1 minute'")
        )
    )
    assert token.current() == "fresh"


def test_a_token_that_cannot_be_had_is_unreachable(database, monkeypatch):
    monkeypatch.setattr("backend.runtime.provider_tokens.WAIT_S", 0.2)
    token = SharedToken("test.held", lambda force: ("fresh", 7200))
    run_unit(lambda u: token._look(u, None))
    with pytest.raises(Unreachable):
        token.current()


def test_subscribe_messages_speak_of_refusal_by_code(cold):
    login = cold.control("/wechat/login", {})
    with pytest.raises(Refused) as refused:
        MpClient(settings().wechat).send_subscribe(login["openid"], "tmpl-unknown", {"thing1": "测试"})
    assert refused.value.code in ("40037", "43101")


def test_wechat_is_never_called_inside_a_unit(corner):
    with unit.unit(), pytest.raises(RuntimeError, match="transaction is open"):
        MpClient(settings().wechat).code2session("any")


def test_nobody_home_is_unreachable(corner):
    away = SimpleNamespace(base_url="http://127.0.0.1:9", appid="wx-away", secret="s")
    with pytest.raises(Unreachable):
        MpClient(away).code2session("any")
    outbound.reset_breakers()


def test_alipay_knows_its_own_signature_only(corner):
    client = AlipayClient(settings().alipay)
    form = signed_notice(corner, {"trade_status": "WAIT_BUYER_PAY", "empty": "", "subject": "测试 & 费用"})
    assert client.verify_notify(form)
    assert not client.verify_notify(form | {"trade_status": "TRADE_FINISHED"})
    assert not client.verify_notify(form | {"sign_type": "RSA"})
    assert not client.verify_notify({k: v for k, v in form.items() if k != "sign"})
    assert not client.verify_notify(form | {"sign": "not base64!"})


def test_alipay_refuses_sha1_signatures(corner):
    form = signed_notice(corner, {"trade_no": "1"}, hashes.SHA1())
    assert not AlipayClient(settings().alipay).verify_notify(form)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ('{"error_response":{"code":"40002","sub_code":"isv.code-invalid"}}', Silent),
        ('{"alipay_system_oauth_token_response":{"open_id":"x"}}', Garbled),
        ('{"alipay_system_oauth_token_response":{"open_id":"x"},"sign":"AAAA"}', Garbled),
        ('{"something_else":1}', Garbled),
        ("<html>", Garbled),
    ],
)
def test_answers_nobody_signed_are_never_believed(corner, answer, error):
    client = AlipayClient(settings().alipay)
    with pytest.raises(error):
        client._genuine(answer, "alipay_system_oauth_token_response")


def test_a_signed_refusal_is_a_refusal(corner):
    request = AlipaySystemOauthTokenRequest()
    request.grant_type, request.code = "authorization_code", "never-issued"
    with pytest.raises((Refused, Silent)) as told:
        AlipayClient(settings().alipay).execute(request)
    assert told.value.code == "isv.code-invalid"


def test_unknown_results_are_silent(corner):
    request = AlipaySystemOauthTokenRequest()
    request.grant_type, request.code = "authorization_code", "any"
    corner.control("/faults", {"provider": "alipay", "kind": "5xx", "times": 1})
    with pytest.raises(Silent):
        AlipayClient(settings().alipay).execute(request)


def test_keys_may_be_bare_as_the_console_shows_them(corner, tmp_path):
    given = settings().alipay
    private = serialization.load_pem_private_key(Path(given.private_key_file).read_bytes(), None)
    for number, form in enumerate(
        (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL)
    ):
        der = private.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
        bare = tmp_path / f"key{number}"
        bare.write_bytes(base64.b64encode(der))
        client = AlipayClient(
            SimpleNamespace(**{n: getattr(given, n) for n in given.__slots__} | {"private_key_file": bare})
        )
        assert client.sign({"a": "1", "empty": ""}) == AlipayClient(given).sign({"a": "1"})


def signed_notice(corner, told, digest=None):
    """What the platform's own key would sign (it lies in the simulators' folder)."""
    folder = settings().alipay.public_key_file.rsplit("/", 1)[0]
    key = serialization.load_pem_private_key(Path(f"{folder}/alipay_platform.pem").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    words = "&".join(f"{name}={told[name]}" for name in sorted(told) if told[name])
    sign = base64.b64encode(key.sign(words.encode(), padding.PKCS1v15(), digest or hashes.SHA256())).decode()
    return told | {"sign_type": "RSA2", "sign": sign}
