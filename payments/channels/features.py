"""What each channel does for each verb of the port, product by product, in the provider's own words.

`flask town draw-channels` writes docs/channels.md from this; tests compare it with the port and with what is called.
"""

from collections.abc import Mapping

from payments.channels.port import H5, MINI

Words = Mapping[str, str]


def _both(words: str) -> Words:
    return {MINI: words, H5: words}


CALLS: Mapping[str, Mapping[str, Words]] = {
    "wechat_pay": {
        "prepare": {MINI: "POST /v3/pay/transactions/jsapi", H5: "POST /v3/pay/transactions/h5"},
        "client_parameters": {
            MINI: "paySign over appId, timeStamp, nonceStr, prepay_id",
            H5: "h5_url with redirect_url",
        },
        "read_notice": _both("TRANSACTION.SUCCESS, REFUND.SUCCESS/ABNORMAL/CLOSED; AEAD_AES_256_GCM"),
        "acknowledge": _both("204; 400 FAIL"),
        "query": _both("GET /v3/pay/transactions/out-trade-no/{no}"),
        "close": _both("POST /v3/pay/transactions/out-trade-no/{no}/close"),
        "refund": _both("POST /v3/refund/domestic/refunds"),
        "query_refund": _both("GET /v3/refund/domestic/refunds/{no}"),
        "fetch_bill": _both("GET /v3/bill/tradebill, then the gzip behind download_url; SHA-1 compared"),
    },
    "alipay": {
        "prepare": {
            MINI: "alipay.trade.create",
            H5: "alipay.trade.wap.pay (a signed address, nobody is called)",
        },
        "client_parameters": {MINI: "tradeNO for my.tradePay", H5: "the signed address"},
        "read_notice": _both("trade_status_sync; RSA2"),
        "acknowledge": _both("success; 400 failure"),
        "query": _both("alipay.trade.query"),
        "close": _both("alipay.trade.close"),
        "refund": _both("alipay.trade.refund"),
        "query_refund": _both("alipay.trade.fastpay.refund.query"),
        "fetch_bill": _both(
            "alipay.data.dataservice.bill.downloadurl.query (trade), then the zip behind its address"
        ),
    },
}
PRODUCTS_SAY = {MINI: "mini-program (小程序)", H5: "browser (H5)"}
