"""Statements that are wrong on order, and payments in a browser without a page."""

import csv
import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.simulators.conftest import Outside
from tests.simulators.signers import Alipay, WxPay

BILL = "alipay.data.dataservice.bill.downloadurl.query"
Fetch = Callable[[], bytes]


def wx_order(number: str, fen: int = 8000, address: str = "127.0.0.1", kind: str = "Wap") -> dict[str, Any]:
    scene = {"payer_client_ip": address, "h5_info": {"type": kind}}
    return {"number": number, "fen": fen, "scene_info": scene}


def in_browser(wxpay: WxPay, number: str, fen: int = 8000, **more: Any) -> Any:
    words = wx_order(number, fen, **more)
    doc = wxpay.order("", words["number"], words["fen"]) | {"scene_info": words["scene_info"]}
    return wxpay.call("POST", "/v3/pay/transactions/h5", doc).json()


def wap_address(outside: Outside, alipay: Alipay, number: str, yuan: str = "80.00", **more: str) -> str:
    biz = {"out_trade_no": number, "total_amount": yuan, "subject": "罚款", "product_code": "QUICK_WAP_WAY"}
    biz |= {"quit_url": outside.product.base_url + "/"} | more
    return f"{outside.env['ALIPAY_GATEWAY_URL']}?{urlencode(alipay.params('alipay.trade.wap.pay', biz))}"


def decide(outside: Outside, url: str, decision: str = "approve", status: int | None = None) -> Any:
    return outside.ask("/control/h5/pay", {"url": url, "decision": decision}, status)


@pytest.fixture
def wx_file(outside: Outside, wxpay: WxPay) -> Fetch:
    """Two payments and a refund of yesterday; fetches the unpacked statement."""
    outside.ask("/control/preferences", {"wxpay_refund_seconds": 0, "wxpay_fee_ppm": 6000})
    day = outside.ask("/phone/state")["clock"][:10]
    for number in ("paid-one", "paid-two"):
        decide(outside, in_browser(wxpay, number)["h5_url"])
    back = {"out_trade_no": "paid-one", "out_refund_no": "back-one", "reason": "多收"}
    back |= {"amount": {"refund": 3000, "total": 8000, "currency": "CNY"}}
    wxpay.call("POST", "/v3/refund/domestic/refunds", back)

    def fetch() -> bytes:
        outside.move_clock(timedelta(days=2))
        offered = wxpay.call("GET", f"/v3/bill/tradebill?bill_date={day}&tar_type=GZIP").json()
        target = offered["download_url"].removeprefix(outside.env["WXPAY_BASE_URL"])
        text = gzip.decompress(wxpay.call("GET", target).content)
        assert hashlib.sha1(text).hexdigest() == offered["hash_value"]
        return text

    return fetch


@pytest.fixture
def ali_file(outside: Outside, alipay: Alipay) -> Fetch:
    """One payment and a refund of yesterday; fetches the unpacked statement."""
    outside.ask("/control/preferences", {"alipay_fee_ppm": 6000})
    day = outside.ask("/phone/state")["clock"][:10]
    decide(outside, wap_address(outside, alipay, "trade-one"))
    biz = {"out_trade_no": "trade-one", "out_request_no": "back-one", "refund_amount": "30.00"}
    alipay.call("alipay.trade.refund", biz)

    def fetch() -> bytes:
        outside.move_clock(timedelta(days=2))
        address = alipay.call(BILL, {"bill_type": "trade", "bill_date": day})["bill_download_url"]
        content = requests.get(address, timeout=5).content
        archive = zipfile.ZipFile(io.BytesIO(content), metadata_encoding="gbk")
        lines, sums = archive.namelist()
        assert (lines.endswith("_业务明细.csv"), sums.endswith("_业务明细(汇总).csv")) == (True, True)
        return archive.read(lines)

    return fetch


def wx_rows(text: bytes) -> list[dict[str, str]]:
    lines = text.decode("utf-8-sig").splitlines()
    head = lines[0].split(",")
    return [dict(zip(head, [cell[1:] for cell in line.split(",")], strict=True)) for line in lines[1:-2]]


def ali_rows(text: bytes) -> list[dict[str, str]]:
    lines = [line for line in text.decode("gbk").splitlines() if line and not line.startswith("#")]
    return [{name: value.strip() for name, value in row.items()} for row in csv.DictReader(lines)]


def twist(outside: Outside, provider: str, kind: str, **more: Any) -> None:
    outside.ask("/control/bills", {"provider": provider, "kind": kind} | more, 201)


def test_a_fee_is_kept_and_comes_back(wx_file: Fetch, ali_file: Fetch) -> None:
    assert [row["手续费"] for row in wx_rows(wx_file())] == ["0.48000", "0.48000", "-0.18000"]
    assert [row["服务费（元）"] for row in ali_rows(ali_file())] == ["-0.48", "0.18"]


def test_the_sums_are_those_of_the_lines(wx_file: Fetch, ali_file: Fetch) -> None:
    sums = "`3,`160.00,`30.00,`0.00,`0.78000,`160.00,`30.00"
    assert wx_file().decode("utf-8-sig").splitlines()[-1] == sums
    assert "#交易合计：1笔，商家实收共80.00元" in ali_file().decode("gbk")


@pytest.mark.parametrize(
    ("kind", "more", "left"),
    [
        ("drop", {"number": "paid-one"}, [("paid-two", "80.00", ""), ("paid-one", "0.00", "back-one")]),
        ("drop_refund", {}, [("paid-one", "80.00", ""), ("paid-two", "80.00", "")]),
        ("double", {"number": "paid-two"}, [("paid-two", "80.00", "")] * 2),
        ("amount", {"number": "paid-two", "fen": 7999}, [("paid-two", "79.99", "")]),
        ("stranger", {"number": "nobodys", "fen": 5}, [("nobodys", "0.05", "")]),
        ("stranger_refund", {"number": "nobodys", "fen": 5}, [("paid-one", "0.00", "nobodys")]),
    ],
)
def test_lines_are_planted_and_taken_back(
    outside: Outside, wx_file: Fetch, kind: str, more: dict[str, Any], left: list[tuple[str, str, str]]
) -> None:
    straight = wx_file()
    twist(outside, "wxpay", kind, **more)
    names = ("商户订单号", "订单金额", "商户退款单号")
    rows = [(row[names[0]], row[names[1]], row[names[2]].strip("0")) for row in wx_rows(wx_file())]
    assert [row for row in rows if row in left] == left
    assert wx_file() != straight
    outside.ask("/control/bills", method="DELETE")
    assert wx_file() == straight


def test_a_refund_line_may_name_another_sum(outside: Outside, wx_file: Fetch, ali_file: Fetch) -> None:
    for provider in ("wxpay", "alipay"):
        twist(outside, provider, "refund_amount", fen=2999)
    assert wx_rows(wx_file())[-1]["退款金额"] == "29.99"
    assert ali_rows(ali_file())[-1]["商家实收（元）"] == "-29.99"


@pytest.mark.parametrize("kind", ["other_day", "encoding", "blank_lines", "merchant", "sums"])
def test_a_file_is_spoilt_as_often_as_ordered(
    outside: Outside, wx_file: Fetch, ali_file: Fetch, kind: str
) -> None:
    straight = wx_file(), len(ali_file())
    for provider in ("wxpay", "alipay"):
        twist(outside, provider, kind, count=1000)
    assert (wx_file() != straight[0], ali_file() != b"") == (True, True)
    assert (wx_file(), len(ali_file())) == straight


def test_a_hash_may_be_another(outside: Outside, wx_file: Fetch) -> None:
    twist(outside, "wxpay", "wrong_hash")
    with pytest.raises(AssertionError):
        wx_file()


@pytest.mark.parametrize(
    "wish",
    [{"kind": "nonsense"}, {"provider": "bank"}, {"fen": "1"}, {"count": True}, {"times": 1.5}],
)
def test_an_order_nobody_understands_is_refused(outside: Outside, wish: dict[str, Any]) -> None:
    outside.ask("/control/bills", {"provider": "wxpay", "kind": "drop"} | wish, 400)
    assert outside.ask("/control/bills") == {"twists": []}


def test_a_refused_browser_payment_stays_open(outside: Outside, wxpay: WxPay, alipay: Alipay) -> None:
    for url, state in (
        (in_browser(wxpay, "order-1")["h5_url"], "NOTPAY"),
        (wap_address(outside, alipay, "trade-1"), "WAIT_BUYER_PAY"),
    ):
        assert decide(outside, url, "refuse")["state"] == state
        assert decide(outside, url)["state"] in ("SUCCESS", "TRADE_SUCCESS")
        decide(outside, url, status=409)


def test_an_address_the_merchant_did_not_sign_is_refused(outside: Outside, alipay: Alipay) -> None:
    url = wap_address(outside, alipay, "trade-1")
    decide(outside, url.replace("80.00", "00.01"), status=409)
    decide(outside, wap_address(outside, alipay, "trade-2", time_expire="2020-01-01 00:00:00"), status=409)
    decide(outside, outside.base_url + "/elsewhere", status=404)


@pytest.mark.parametrize("more", [{"address": "nowhere"}, {"address": ""}, {"kind": "Fax"}])
def test_a_browser_order_must_tell_where_its_payer_sits(wxpay: WxPay, more: dict[str, Any]) -> None:
    assert in_browser(wxpay, "order-1", **more)["code"] == "PARAM_ERROR"
