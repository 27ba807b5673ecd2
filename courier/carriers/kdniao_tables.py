"""What the numbers of kdniao (快递鸟) mean: data, keyed by the kind of message (PROVIDERS §4.1).

Pick-up states (push 103, query 1804) share numbers with track states (push 101/102, queries 1002/8001) and mean
other things, so each kind has its own table. A number that is in no table is kept as a note and moves nothing.
"""

from courier.merge import NOTE

PICKUP: dict[str, str] = {
    "99": "troubled",  # no courier could be found
    "102": "assigned",  # station
    "103": "assigned",  # courier
    "104": "collected",  # without weight; not always sent
    "109": "assigned",  # handed to another carrier: new waybill
    "120": NOTE,  # waybill number
    "203": "troubled",  # the carrier called it off
    "206": "troubled",  # scanned as collected, but it was not
    "207": NOTE,  # charged off line
    "208": NOTE,  # weight changed
    "301": "collected",  # with fees
    "302": NOTE,  # waybill number changed
    "402": NOTE,  # order changed
    "502": NOTE,  # parent and child parcels
    "601": NOTE,  # settled fee
    "701": NOTE,  # platform payment
    "2": "moved",
    "3": "delivered",
}

PICKUP_SAYS: dict[str, str] = {
    "99": "快递公司未能安排取件",
    "102": "已分配取件网点",
    "103": "已分配取件快递员",
    "104": "快递员已取件",
    "109": "已改由其他快递公司取件",
    "120": "运单号已生成",
    "203": "快递公司取消了取件",
    "206": "登记为已取件但实际未取",
    "207": "线下收取了费用",
    "208": "重量或费用有变更",
    "301": "已取件并称重计费",
    "302": "运单号已变更",
    "402": "订单信息已修改",
    "502": "拆分为多个包裹",
    "601": "费用已结算",
    "701": "平台支付结果",
    "2": "运输途中",
    "3": "已签收",
}

FEE_STATES = frozenset({"208", "301", "601"})
"""Messages that settle or correct the fee (settlement base: TotalFee)."""

TRACK: dict[str, str] = {
    "0": NOTE,
    "10": NOTE,  # waiting to be collected
    "1": "collected",
    "2": "moved",
    "201": "moved",  # arrived in the city
    "202": "sent_out",
    "211": "sent_out",  # waits in a locker or station
    "3": "delivered",
    "301": "delivered",
    "302": "delivered",
    "304": "delivered",
    "311": "delivered",
    "4": "troubled",
    "401": NOTE,  # sent, but no news of it
    "402": "troubled",
    "403": "troubled",
    "404": "turned_back",
    "405": "troubled",
    "406": "returned",
    "407": "turned_back",
    "412": "troubled",
}

RECEIPT: dict[str, str] = {"302": "exception", "304": "other", "211": "locker", "311": "locker"}
"""Track states in which somebody else than the holder may have the parcel (STANDARDS §15)."""

PHONE_TAIL_WANTED = frozenset({"SF", "ZTO"})
"""Carriers that answer a query only with the last four digits of the phone."""

BUSY = ("繁忙", "稍后", "频繁")
"""Words by which a refusal only means "not now": nothing was done, and it may be tried again."""

NOT_FOUND = ("不存在", "未找到", "没有找到", "查无")
"""Words by which an order query says that it never got this code."""
