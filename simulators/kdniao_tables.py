"""What each of the courier's steps makes kdniao push, and the few carriers of this world.

Pickup states (push 103) and track states (push 101/102) share numbers and mean other things.
"""

from dataclasses import dataclass

CARRIERS = {"EMS": "邮政特快专递", "SF": "顺丰速运", "ZTO": "中通快递", "JD": "京东快递", "YTO": "圆通速递"}
DEFAULT_CARRIER = "EMS"
PHONE_TAIL_WANTED = frozenset({"SF"})
FEE_STATES = frozenset({"301", "208", "601"})
PICKER_STATES = frozenset({"102", "103", "104"})


@dataclass(frozen=True, slots=True)
class Step:
    """A courier's step: the pickup state pushed as 103, the track state appended, whether it needs a waybill."""

    says: str
    pickup: str = ""
    state: str = ""
    state_ex: str = ""
    collects: bool = False
    ends: bool = False

    @property
    def is_track(self) -> bool:
        """Needs a parcel that is under way."""
        return bool(self.state) and not self.collects


STEPS = {
    "accepted": Step("【{place}】营业点已接单", pickup="102"),
    "courier": Step("已分配快递员上门取件", pickup="103"),
    "picked": Step("快递员已取件", pickup="104"),
    "collected": Step("【{place}】快件已揽收", pickup="301", state="1", state_ex="1", collects=True),
    "waybill": Step("运单号已生成", pickup="120"),
    "in_transit": Step("【{place}】快件已发往目的地", pickup="2", state="2", state_ex="2"),
    "arrived": Step("【{place}】快件已到达目的城市", state="2", state_ex="201"),
    "out_for_delivery": Step("【{place}】快递员正在派件", state="2", state_ex="202"),
    "locker": Step("【{place}】快件已投入代收点", state="2", state_ex="211"),
    "signed": Step("【{place}】快件已签收，签收人：本人", pickup="3", state="3", state_ex="301", ends=True),
    "signed_after_exception": Step("【{place}】快件派件异常后签收", "3", "3", "302", ends=True),
    "signed_by_other": Step("【{place}】快件已签收，签收人：代收", "3", "3", "304", ends=True),
    "picked_from_locker": Step("【{place}】快件已从代收点取出", "3", "3", "311", ends=True),
    "not_signed": Step("【{place}】快件超时未签收", state="4", state_ex="402"),
    "refused": Step("【{place}】收件人拒收，快件将退回", state="4", state_ex="404"),
    "lost": Step("【{place}】派件异常：快件遗失", state="4", state_ex="405"),
    "returned": Step("【{place}】退回件已签收", state="4", state_ex="406", ends=True),
    "cancelled": Step("快递公司取消取件", pickup="203", ends=True),
    "dispatch_failed": Step("无可用快递员，调度失败", pickup="99", ends=True),
    "reassigned": Step("改由其他快递公司取件", pickup="109"),
    "fake_collection": Step("虚假揽件", pickup="206"),
    "weight_changed": Step("重量变更", pickup="208"),
    "waybill_changed": Step("运单号变更", pickup="302"),
    "fee_settled": Step("费用结算", pickup="601"),
}

COURIERS_DAY = (
    "accepted",
    "courier",
    "collected",
    "waybill",
    "in_transit",
    "arrived",
    "out_for_delivery",
    "signed",
)
"""The steps of an ordinary parcel, in order: what the fake phone offers next."""
