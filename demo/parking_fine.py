"""A parking fine: SI020, found by notice number and a second factor, paid, receipt; a large one needs the window."""

import secrets
from typing import Any

from backend.kernel import clock
from demo.citizen import Citizen
from demo.line import Line
from demo.story import Story
from demo.world import World

DEPARTMENT = "BZ-GA"


def play(world: World) -> None:
    """Tell the whole journey: a fine of 150 yuan, and one of 500."""
    story = Story("交通违法罚款缴纳（微信小程序）")
    driver = Citizen(world, story, "wechat")
    driver.log_in()
    office = world.system(DEPARTMENT)
    _small(story, office, driver)
    _large(story, office, driver)


def _small(story: Story, office: Line, driver: Citizen) -> None:
    notice = _push(story, office, 15_000)
    unknown = driver.line.try_post("/mp/v1/bills/lookup", {"notice_no": notice, "second_factor": "皖S99999"})
    story.must("lookup with a wrong factor", unknown.status_code, 404)
    story.step("市民", "业务认证码不对，查不到（编号不能被逐个试出）")
    bill = _find(driver, notice)
    story.step(
        "市民", "凭缴款单号和业务认证码查到罚单", f"{bill['item']}，应缴 {bill['total_fen'] / 100:.2f} 元"
    )
    paid = driver.pay(f"/mp/v1/bills/{bill['id']}/payments", "微信支付罚款")
    receipt = story.until("a receipt with a number", lambda: _receipt(driver, paid["id"]))
    story.step(
        "市民",
        "取得电子票据",
        f"代码 {receipt['code']} 号码 {receipt['number']} 校验码 {receipt['check_code']}",
    )
    again = driver.line.try_post(f"/mp/v1/bills/{bill['id']}/payments", {"channel": "wechat_pay"})
    story.must("paying twice", again.status_code, 409)


def _receipt(driver: Citizen, payment_id: str) -> dict[str, Any] | None:
    seen: dict[str, Any] = driver.line.get(f"/mp/v1/payments/{payment_id}/receipt")
    return seen if seen["number"] else None


def _large(story: Story, office: Line, driver: Citizen) -> None:
    notice = _push(story, office, 50_000)
    bill = _find(driver, notice)
    refused = driver.line.try_post(f"/mp/v1/bills/{bill['id']}/payments", {"channel": "wechat_pay"})
    story.must("paying before the window", refused.status_code, 409)
    story.step("市民", "200 元以上须先到窗口处理", refused.json()["title"])
    office.post(f"/dept/v1/bills/{bill['id']}/window-handling")
    story.step("交警窗口", "处理违法，允许网上缴款")
    paid = driver.pay(f"/mp/v1/bills/{bill['id']}/payments", "微信支付罚款")
    story.must("fine", paid["amount_fen"], 50_000)


def _push(story: Story, office: Line, principal_fen: int) -> str:
    notice = "3416" + "".join(str(secrets.randbelow(10)) for _ in range(16))
    today = clock.today()
    bill = {
        "notice_no": notice, "second_factor": "皖S12345", "kind": "fine", "item": "机动车违反规定停放",
        "principal_fen": principal_fen, "executing_unit": "亳州市公安局交警支队", "region_code": "341602",
        "issued_on": today.isoformat(), "window_name": "交警支队违法处理窗口", "window_address": "示例路 1 号",
    }  # fmt: skip
    office.post("/dept/v1/bills", bill)
    story.step("交警系统", f"推送罚单 {notice}", f"罚款本金 {principal_fen / 100:.2f} 元")
    return notice


def _find(driver: Citizen, notice: str) -> dict[str, Any]:
    bill: dict[str, Any] = driver.line.post(
        "/mp/v1/bills/lookup", {"notice_no": notice, "second_factor": "皖S12345"}
    )
    return bill
