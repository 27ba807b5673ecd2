"""What kdniao says and how it is signed, without a wire in between."""

import json
from urllib.parse import quote_plus, urlencode

import pytest
from kdniao.client import KdNiaoClient
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from backend.runtime.callbacks import Forged
from backend.runtime.settings import Kdniao as Settings
from courier.carriers import kdniao_wire as wire
from courier.carriers.kdniao import Kdniao
from courier.carriers.kdniao_news import pickup_notice, track_notice
from courier.carriers.port import News
from courier.merge import NOTE

KEY, BUSINESS = "test-key", "1237100"
DESK = Kdniao(Settings("http://127.0.0.1:9", BUSINESS, KEY))


def news_of(notice: object) -> News:
    found = notice.facts["news"]  # type: ignore[attr-defined]
    assert isinstance(found, News)
    return found


def push(kind: str, items: list[dict[str, object]], key: str = KEY, business: str = BUSINESS) -> bytes:
    text = json.dumps(
        {"EBusinessID": business, "PushTime": "2026-03-02 09:00:00", "Count": "1", "Data": items}
    )
    form = {"RequestData": text, "RequestType": kind, "DataSign": wire.sign(text, key)}
    return urlencode(form).encode()


def read(body: bytes) -> list[object]:
    request = Request(EnvironBuilder(method="POST", data=body).get_environ())
    return list(DESK.read_notices(request, body))  # type: ignore[arg-type]


def test_our_signature_is_that_of_the_package() -> None:
    text = '{"OrderCode":"ZB1","名":"值"}'
    assert KdNiaoClient(BUSINESS, KEY).valid_sign(wire.sign(text, KEY), text)


def test_a_signature_encoded_twice_is_still_genuine() -> None:
    assert wire.genuine("{}", quote_plus(wire.sign("{}", KEY)), KEY)
    assert not wire.genuine("{}", wire.sign("{}", "other"), KEY)


def test_a_forged_push_is_refused() -> None:
    with pytest.raises(Forged):
        read(push("103", [], key="not-the-key"))


def test_a_push_for_another_customer_is_refused() -> None:
    with pytest.raises(Forged):
        read(push("103", [], business="999"))


@pytest.mark.parametrize("body", [b"", b"a=%ff", b"RequestData=1", b"\xff\xfe", b"{}"])
def test_a_push_that_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(Forged):
        read(body)


def test_one_push_may_speak_of_many_parcels() -> None:
    items: list[dict[str, object]] = [{"OrderCode": f"ZB{n}", "State": "103"} for n in range(10)]
    assert [notice.subject for notice in read(push("103", items))] == [  # type: ignore[attr-defined]
        f"ZB{n}" for n in range(10)
    ]


def test_a_kind_of_push_we_do_not_know_says_nothing() -> None:
    (notice,) = read(push("107", [{"OrderCode": "ZB1"}]))
    assert news_of(notice).traces == ()


def test_the_same_number_means_other_things_by_kind() -> None:
    fetched = pickup_notice({"OrderCode": "ZB1", "State": "301", "CreateTime": "2026-03-02 09:00:00"}, b"")
    line = {"AcceptTime": "2026-03-02 09:00:00", "AcceptStation": "已签收"}
    signed = track_notice("102", {"OrderCode": "ZB1", "StateEx": "301", "Traces": [line]}, b"")
    assert news_of(fetched).traces[0].trigger == "collected"
    assert news_of(signed).traces[0].trigger == "delivered"


def test_an_unknown_number_is_kept_as_a_note() -> None:
    notice = pickup_notice({"OrderCode": "ZB1", "State": "9999", "CreateTime": "2026-03-02 09:00:00"}, b"")
    assert news_of(notice).traces[0].trigger == NOTE


def test_words_that_sound_like_delivery_do_not_deliver() -> None:
    line = {"AcceptTime": "2026-03-02 09:00:00", "AcceptStation": "收件人不在，无法签收", "Action": "405"}
    notice = track_notice("102", {"OrderCode": "ZB1", "State": "4", "StateEx": "405", "Traces": [line]}, b"")
    assert news_of(notice).traces[0].trigger == "troubled"


def test_a_waybill_without_order_code_is_addressed_by_number() -> None:
    assert (
        track_notice("101", {"ShipperCode": "EMS", "LogisticCode": "1", "State": "0"}, b"").subject == "EMS/1"
    )


def test_fees_are_read_to_the_fen() -> None:
    item = wire.read_json(
        '{"OrderCode":"ZB1","State":"301","CreateTime":"2026-03-02 09:00:00","TotalFee":12.3}'
    )
    assert news_of(pickup_notice(item, b"")).fee_fen == 1230


def test_a_fee_that_is_no_amount_is_left_out() -> None:
    item = {"OrderCode": "ZB1", "State": "301", "CreateTime": "2026-03-02 09:00:00", "TotalFee": "面议"}
    assert news_of(pickup_notice(item, b"")).fee_fen is None


def test_the_time_of_the_push_is_no_part_of_its_identity() -> None:
    item = {"OrderCode": "ZB1", "State": "103", "CreateTime": "2026-03-02 09:00:00"}
    assert pickup_notice(item, b"a").key == pickup_notice(item, b"b").key


def test_characters_kdniao_refuses_are_stripped() -> None:
    assert wire.plain("谯城区<1>号#2&3'\"", 100) == "谯城区 1 号 2 3"
