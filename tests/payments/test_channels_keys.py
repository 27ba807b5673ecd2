"""Both sides change their keys while people pay: nobody has to restart anything."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.runtime.papers import BadPaper
from backend.runtime.settings import settings
from payments.channels import NAMES, channel, port
from tests.contracts.test_payment_channels import Shop, heard, made
from tests.runtime.papers import certificate_pem, private_pem, public_pem, written

__all__ = ["heard"]
OURS = {"wechat_pay": "merchant_key_file", "alipay": "private_key_file"}
OTHER_ID = "PUB_KEY_ID_0116000000009999"


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(town: Any, name: str) -> Shop:
    return Shop(town, channel(name))


def account_of(name: str) -> Any:
    return settings().wxpay if name == "wechat_pay" else settings().alipay


def copied(name: str, which: str, folder: Path) -> Path:
    """A copy of one of the channel's key files, to be changed."""
    target = folder / f"{which}.pem"
    shutil.copy(getattr(account_of(name), which), target)
    return target


def is_understood(line: port.Channel, shop: Shop) -> bool:
    return isinstance(line.query(shop.order.number), port.Absent)


def test_our_key_is_changed_while_people_pay(shop: Shop, name: str, tmp_path: Path) -> None:
    file = copied(name, OURS[name], tmp_path)
    right = file.read_bytes()
    line = made(name, **{OURS[name]: str(file)})
    assert is_understood(line, shop)
    file.write_bytes(private_pem("another"))
    assert isinstance(line.query(shop.order.number), port.Unknown)
    file.write_bytes(b"broken")
    file.write_bytes(right)
    assert is_understood(line, shop)


def test_their_key_is_changed_while_people_pay(shop: Shop, name: str, tmp_path: Path) -> None:
    file = copied(name, "public_key_file", tmp_path)
    right, number = file.read_bytes(), shop.paid()
    line = made(name, public_key_file=str(file))
    file.write_bytes(public_pem("another"))
    assert isinstance(line.query(number), port.Unknown)
    file.write_bytes(right)
    assert isinstance(line.query(number), port.Paid)


def test_a_broken_new_key_does_not_close_the_till(shop: Shop, name: str, tmp_path: Path) -> None:
    theirs, ours = copied(name, "public_key_file", tmp_path), copied(name, OURS[name], tmp_path)
    line = made(name, **{"public_key_file": str(theirs), OURS[name]: str(ours)})
    for file in (theirs, ours):
        file.write_bytes(b"half a ke")
    assert isinstance(line.query(shop.paid()), port.Paid)


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_notices_of_old_and_new_key_are_believed(heard: Any, tmp_path: Path) -> None:
    known = settings().wxpay
    files = ",".join((written(tmp_path, "new.pem", public_pem("another")), known.public_key_file))
    line = made("wechat_pay", public_key_file=files, public_key_id=f"{OTHER_ID},{known.public_key_id}")
    assert line.read_notice(heard.headers, heard.body).subject == heard.number
    with pytest.raises(port.Forged):
        line.read_notice(heard.headers | {"Wechatpay-Serial": OTHER_ID}, heard.body)


@pytest.mark.parametrize("name", ["alipay"], indirect=True)
def test_alipay_may_sign_with_either_key(heard: Any, tmp_path: Path) -> None:
    files = ",".join((written(tmp_path, "new.pem", public_pem("another")), settings().alipay.public_key_file))
    line = made("alipay", public_key_file=files)
    assert line.read_notice(heard.headers, heard.body).subject == heard.number


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_the_first_id_is_the_one_we_send(shop: Shop, tmp_path: Path) -> None:
    known = settings().wxpay
    other = written(tmp_path, "new.pem", public_pem("another"))
    words = {"public_key_file": f"{known.public_key_file},{other}"}
    line = made("wechat_pay", **words, public_key_id=f"{known.public_key_id},{OTHER_ID}")
    assert is_understood(line, shop)
    words = {"public_key_file": f"{other},{known.public_key_file}"}
    line = made("wechat_pay", **words, public_key_id=f"{OTHER_ID},{known.public_key_id}")
    assert isinstance(line.query(shop.order.number), port.Unknown)


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_key_and_certificate_change_together(shop: Shop, tmp_path: Path) -> None:
    from_file = Path(settings().wxpay.merchant_key_file).read_bytes()
    key, paper = tmp_path / "key.pem", tmp_path / "paper.pem"
    key.write_bytes(private_pem("wx ours"))
    paper.write_bytes(certificate_pem("wx ours"))
    line = made("wechat_pay", merchant_key_file=str(key), merchant_cert_file=str(paper))
    merchant: Any = vars(vars(line)["_line"])["_merchant"]
    before = merchant.get()
    key.write_bytes(from_file)
    assert merchant.get() == before, "a key alone does not fit the certificate"
    key.write_bytes(private_pem("wx theirs"))
    paper.write_bytes(certificate_pem("wx theirs", serial="ABCDEF0123"))
    assert merchant.get().serial == "ABCDEF0123"


@pytest.mark.parametrize("name", ["wechat_pay"], indirect=True)
def test_files_and_ids_must_be_as_many(name: str, town: Any) -> None:
    with pytest.raises(BadPaper):
        made(name, public_key_id=f"{OTHER_ID},PUB_KEY_ID_0116000000009998")
