"""A new home: SI025 through WeChat, from registration to the certificate in the owner's hands (CY-01 to CY-10)."""

import datetime as dt
from typing import Any

from demo import windows
from demo.citizen import Citizen
from demo.line import Line
from demo.story import Story
from demo.world import World, moment, spoken, to_the_moment

ITEM, DEPARTMENT = "SI025", "BZ-GT"
SITE = "si-bozhou-hall"
PHOTOS = ("m3", "m4", "m5")


def play(world: World) -> None:
    """Tell the whole journey."""
    story = Story("新房首次登记（微信小程序）")
    owner = Citizen(world, story, "wechat")
    owner.log_in()
    owner.register()
    owner.accept_messages("correction_requested", "pre_review_passed")
    _read_guide(story, owner)
    case_id = _file(story, owner)
    clerk = windows.staff(world, story, DEPARTMENT, "handler")
    _correct(story, owner, clerk, case_id)
    _pass(story, owner, clerk, case_id)
    desk = windows.staff(world, story, DEPARTMENT, "window_clerk")
    _visit(story, owner, desk, case_id)
    _decide(story, owner, clerk, case_id)
    _deliver(world, story, owner, desk, case_id)
    _look_back(story, owner, case_id)


def _read_guide(story: Story, owner: Citizen) -> None:
    guide = owner.line.get(f"/mp/v1/items/{ITEM}")
    story.step(
        "市民",
        "阅读办事指南",
        f"{guide['name']}：{len(guide['materials'])} 项材料，{len(guide['steps'])} 个步骤",
    )


def _file(story: Story, owner: Citizen) -> str:
    materials: list[dict[str, Any]] = [{"code": "m1", "mode": "form"}, {"code": "m2", "mode": "e_licence"}]
    materials += [{"code": code, "mode": "upload", "uploads": [owner.photo()]} for code in PHOTOS]
    form = {
        "house_kind": "residential", "owner_kind": "person", "owner_name": owner.person["name"],
        "owner_id_no": owner.person["id_no"], "owner_phone": owner.phone,
        "house_address": "亳州市谯城区示例小区 1 幢 2 单元 301 室", "building_area": "98.50", "certificate_count": 2,
    }  # fmt: skip
    receipt = owner.line.post(
        "/mp/v1/cases",
        {
            "item_id": ITEM, "form": form, "materials": materials, "delivery": "rider", "channel": "wechat",
            "address_id": owner.address(),
        },
    )  # fmt: skip
    story.step("市民", "提交申请", f"电子受理单号 {receipt['number']}，{receipt['says']}")
    return str(receipt["case_id"])


def _correct(story: Story, owner: Citizen, clerk: Line, case_id: str) -> None:
    point = {
        "kind": "material",
        "name": "m4",
        "problem": "照片看不清公章",
        "advice": "请在光线充足处重新拍照",
    }
    clerk.post(f"/dept/v1/cases/{case_id}/corrections", {"points": [point]})
    story.step("登记窗口", "预审，一次性告知需补正 1 项")
    owner.message("收到补正通知", "补正")
    seen = owner.waits_for(case_id, "correcting")
    story.must("who holds the ball", seen["holder"], "citizen")
    answer = {"materials": [{"code": "m4", "mode": "upload", "uploads": [owner.photo()]}]}
    owner.line.post(f"/mp/v1/cases/{case_id}/correction", answer)
    story.step("市民", "补正后重新提交")


def _pass(story: Story, owner: Citizen, clerk: Line, case_id: str) -> None:
    clerk.post(f"/dept/v1/cases/{case_id}/pre-review")
    story.step("登记窗口", "预审通过")
    owner.message("收到预审通过通知，内含预约入口", "预约")
    owner.waits_for(case_id, "preapproved")


def _visit(story: Story, owner: Citizen, desk: Line, case_id: str) -> None:
    slots = owner.line.get("/mp/v1/slots", item_id=ITEM, site_id=SITE)["items"]
    slot = next(one for one in slots if one["free"] > 0)
    held = owner.line.post("/mp/v1/bookings", {"slot_id": slot["id"], "case_id": case_id})
    booked = owner.line.post(f"/mp/v1/bookings/{held['id']}/confirmation")
    story.must("booking", booked["state"], "confirmed")
    story.step(
        "市民",
        "预约到窗口核验原件",
        f"{booked['site']['name']}，{spoken(booked['starts_at'])}",
    )
    owner.message("收到预约成功通知", booked["site"]["name"])
    to_the_moment(moment(booked["starts_at"]) - dt.timedelta(minutes=10))
    story.step("时钟", "来到预约当天")
    checked = desk.post(
        f"/dept/v1/bookings/{held['id']}/check-in", {"site_id": SITE, "code": booked["check_in_code"]}
    )
    story.must("check-in", checked["state"], "checked_in")
    story.step("综合窗口", "凭签到码签到")
    desk.post(f"/dept/v1/cases/{case_id}/acceptance")
    desk.post(f"/dept/v1/bookings/{held['id']}/served", {"site_id": SITE, "identity_checked": True})
    seen = owner.waits_for(case_id, "accepted")
    story.step(
        "综合窗口",
        "核对身份和原件，受理",
        f"承诺办结 {seen['promised']['on']}，法定期限 {seen['legal']['on']}",
    )


def _decide(story: Story, owner: Citizen, clerk: Line, case_id: str) -> None:
    owner.message("收到缴费通知", "90.00")
    paid = owner.pay(f"/mp/v1/cases/{case_id}/payments", "微信支付登记费")
    story.must("fee", paid["amount_fen"], 9000)
    story.until("the case knows the payment", lambda: owner.case(case_id)["fee_state"] == "paid" or None)
    clerk.post(f"/dept/v1/cases/{case_id}/review")
    clerk.post(f"/dept/v1/cases/{case_id}/decision", {"granted": True})
    clerk.post(f"/dept/v1/cases/{case_id}/result", {"numbers": ["皖（示例）不动产权第0000001号"]})
    seen = owner.waits_for(case_id, "finished")
    story.step("登记窗口", "审查、准予、制证", f"比承诺提前 {seen['days_early']} 个工作日")


def _deliver(world: World, story: Story, owner: Citizen, desk: Line, case_id: str) -> None:
    story.until("the parcel is there", lambda: _parcels(owner, case_id) or None)
    desk.post(f"/dept/v1/cases/{case_id}/dispatch", {"documents": [{"name": "不动产权证书", "copies": 2}]})
    parcel_id = _parcels(owner, case_id)[0]["id"]
    rider, _ = windows.rider(world, story)
    story.until("the task is in the pool", lambda: _in_pool(rider, parcel_id))
    rider.post(f"/courier/v1/tasks/{parcel_id}/take")
    rider.post(
        f"/courier/v1/tasks/{parcel_id}/collected", {"pieces": [{"name": "不动产权证书", "copies": 2}]}
    )
    address = rider.post(f"/courier/v1/tasks/{parcel_id}/contact")
    rider.post(f"/courier/v1/tasks/{parcel_id}/set-out")
    story.step("骑手", "取件并送往市民家", f"骑手看到的地址已留痕（{len(address)} 项）")
    code = owner.line.get(f"/mp/v1/parcels/{parcel_id}/handover-code")["code"]
    rider.post(f"/courier/v1/tasks/{parcel_id}/hand-over", {"code": code})
    story.step("骑手", "凭交接码当面交付证书")
    owner.waits_for(case_id, "delivered")


def _look_back(story: Story, owner: Citizen, case_id: str) -> None:
    seen = owner.case(case_id)
    story.step(
        "市民",
        f"查看办理进度：{seen['state_label']}",
        *[f"{spoken(s['at'])} {s['says']}" for s in seen["steps"]],
    )
    looks = owner.line.get("/mp/v1/me/looks")["items"]
    story.must("who looked at me", len(looks) >= 1, True)
    story.step("市民", "查看谁看过我的信息", *[f"{look['who']}：{look['purpose']}" for look in looks])


def _parcels(owner: Citizen, case_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = owner.line.get(f"/mp/v1/cases/{case_id}/parcels")["items"]
    return found


def _in_pool(rider: Line, parcel_id: str) -> bool | None:
    pool = rider.get("/courier/v1/tasks", pool="true")["items"]
    return any(task["id"] == parcel_id for task in pool) or None
