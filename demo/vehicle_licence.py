"""A damaged vehicle licence: SI024 through Alipay, the original in by courier, the new one out by courier."""

from typing import Any

from demo.citizen import Citizen
from demo.line import Line
from demo.story import Story
from demo.world import World, spoken

ITEM, DEPARTMENT = "SI024", "BZ-GA"
ORIGINAL, RESULT = "原行驶证(换领交回)", "机动车行驶证"
IN = ("accepted", "courier", "collected", "in_transit", "signed")
OUT = ("accepted", "courier", "collected", "in_transit", "out_for_delivery", "signed")


def play(world: World) -> None:
    """Tell the whole journey; the department is played by its own system."""
    story = Story("损坏换领行驶证（支付宝小程序，双向邮寄）")
    driver = Citizen(world, story, "alipay")
    driver.log_in()
    driver.register()
    address_id = driver.address()
    case_id = _file(story, driver, address_id)
    office = world.system(DEPARTMENT)
    parcel_id = _send_in(world, story, driver, case_id, address_id)
    _check(story, office, driver, case_id, parcel_id)
    _pay_and_decide(story, office, driver, case_id)
    _send_out(world, story, office, driver, case_id)
    _account(story, driver, case_id)


def _file(story: Story, driver: Citizen, address_id: str) -> str:
    form = {
        "reason": "damaged", "plate_no": "皖S12345", "vehicle_kind": "small", "vin_tail": "A12345",
        "owner_name": driver.person["name"], "owner_phone": driver.phone,
    }  # fmt: skip
    receipt = driver.line.post(
        "/mp/v1/cases",
        {
            "item_id": ITEM, "form": form, "delivery": "courier", "address_id": address_id, "channel": "alipay",
            "materials": [{"code": "m1", "mode": "e_licence"}, {"code": "m2", "mode": "mail"}],
        },
    )  # fmt: skip
    story.step("市民", "提交换领申请", f"受理单号 {receipt['number']}")
    return str(receipt["case_id"])


def _send_in(world: World, story: Story, driver: Citizen, case_id: str, address_id: str) -> str:
    parcel = driver.line.post(f"/mp/v1/cases/{case_id}/parcels", {"address_id": address_id})
    story.step("市民", "预约上门取件", f"寄出：{'、'.join(piece['name'] for piece in parcel['pieces'])}")
    _travel(world, story, driver, parcel["id"], "sender", IN)
    return str(parcel["id"])


def _check(story: Story, office: Line, driver: Citizen, case_id: str, parcel_id: str) -> None:
    found = [{"name": ORIGINAL, "state": "received", "copies": 1}]
    checked = office.post(f"/dept/v1/parcels/{parcel_id}/check", {"pieces": found})
    story.must("parcel", checked["state"], "checked")
    story.step("车管所系统", "拆包核对材料清单，原件齐全")
    story.until("the case knows the original", lambda: _accepted(office, case_id))
    seen = driver.case(case_id)
    story.step("车管所系统", "受理", f"{seen['holder_label']}：{seen['why']}")


def _accepted(office: Line, case_id: str) -> bool | None:
    """The check reaches the case a moment later: until then acceptance waits for the originals."""
    answer = office.try_post(f"/dept/v1/cases/{case_id}/acceptance")
    return True if answer.ok else None


def _pay_and_decide(story: Story, office: Line, driver: Citizen, case_id: str) -> None:
    driver.message("收到缴费通知", "10.00")
    paid = driver.pay(f"/mp/v1/cases/{case_id}/payments", "支付宝支付工本费")
    story.must("fee", paid["amount_fen"], 1000)
    story.until("the case knows the payment", lambda: driver.case(case_id)["fee_state"] == "paid" or None)
    office.post(f"/dept/v1/cases/{case_id}/review")
    office.post(f"/dept/v1/cases/{case_id}/decision", {"granted": True})
    office.post(f"/dept/v1/cases/{case_id}/result", {"numbers": ["示例-行驶证-0001"]})
    story.step("车管所系统", "审查、准予、制证")


def _send_out(world: World, story: Story, office: Line, driver: Citizen, case_id: str) -> None:
    story.until("the parcel is there", lambda: _outbound(driver, case_id))
    office.post(f"/dept/v1/cases/{case_id}/dispatch", {"documents": [{"name": RESULT, "copies": 1}]})
    story.step("车管所系统", "新证装袋，呼叫快递")
    parcel = _outbound(driver, case_id)
    assert parcel is not None
    _travel(world, story, driver, parcel["id"], "receiver", OUT)
    driver.waits_for(case_id, "delivered")


def _travel(
    world: World, story: Story, driver: Citizen, parcel_id: str, side: str, steps: tuple[str, ...]
) -> None:
    """Let the carrier do its part, and wait until the town has heard of it."""
    code = story.until("the carrier has the order", lambda: _order_of(world, driver, side))
    for step in steps:
        world.outside("/kdniao/advance", {"order_code": code, "to": step})
    seen = story.until(
        "delivered",
        lambda: _parcel(driver, parcel_id) if _parcel(driver, parcel_id)["state"] == "delivered" else None,
    )
    story.step("快递", f"揽收、运输、签收：{seen['state_label']}", f"运单号 {seen['waybill_no']}")


def _order_of(world: World, driver: Citizen, side: str) -> str | None:
    """The carrier's order in which the driver is the sender or the receiver."""
    orders = world.outside("/books/kdniao").get("parcel", [])
    mine = [one["order_code"] for one in orders if one[side].get("Mobile") == driver.phone]
    return str(mine[-1]) if mine else None


def _account(story: Story, driver: Citizen, case_id: str) -> None:
    pieces = [piece for parcel in _parcels(driver, case_id) for piece in parcel["pieces"]]
    story.step("市民", "每一件都有着落", *[f"{piece['name']}：{piece['state_label']}" for piece in pieces])
    story.must("pieces unaccounted", [p["name"] for p in pieces if p["state"] in ("packed", "missing")], [])
    seen = driver.case(case_id)
    story.step(
        "市民",
        f"查看办理进度：{seen['state_label']}",
        *[f"{spoken(s['at'])} {s['says']}" for s in seen["steps"]],
    )


def _parcels(driver: Citizen, case_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = driver.line.get(f"/mp/v1/cases/{case_id}/parcels")["items"]
    return found


def _outbound(driver: Citizen, case_id: str) -> dict[str, Any] | None:
    return next((one for one in _parcels(driver, case_id) if one["direction"] == "outbound"), None)


def _parcel(driver: Citizen, parcel_id: str) -> dict[str, Any]:
    detail = driver.line.get(f"/mp/v1/parcels/{parcel_id}")
    found: dict[str, Any] = detail.get("parcel", detail)
    return found
