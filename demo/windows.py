"""The people behind the windows: staff with password and one-time code, and the town's own riders."""

import datetime as dt
from typing import Any

import pyotp

from backend.kernel import clock
from demo.line import Line
from demo.story import Differs, Story
from demo.world import World

STEP_S = 30
MOST_WAITS = 8


def staff(world: World, story: Story, department_id: str, role: str) -> Line:
    """Log a clerk of a department (or, with "", of the hall) in with both factors.

    A one-time code is good once, so a repeated demo may wait for the next.
    """
    account = next(
        one
        for one in world.accounts["staff"]
        if (one["department_id"] or "") == department_id and role in one["roles"]
    )
    line, end = Line(world.town_url), clock.monotonic() + 2 * STEP_S + 10
    while clock.monotonic() < end:
        totp = pyotp.TOTP(account["totp_secret"]).at(int(clock.wire_seconds()))
        body = {"account": account["account"], "password": account["password"], "totp": totp}
        answer = line.try_post("/dept/v1/sessions", body)
        if answer.ok:
            line.token = answer.json()["access_token"]
            story.step(account["label"], "登录部门窗口（口令加动态码）")
            return line
        if answer.status_code != 401:
            break
        clock.sleep(STEP_S - clock.wire_seconds() % STEP_S + 0.5)
    raise Differs(f"staff login: {answer.status_code} {answer.text[:200]}")


def rider(world: World, story: Story) -> tuple[Line, dict[str, Any]]:
    """Log one of the town's riders in with the code on their phone."""
    someone = next(one for one in world.accounts["riders"] if one["carrier"] == "rider")
    line = Line(world.town_url)
    before = len(world.texts_of(someone["phone"]))
    answer = line.try_post("/courier/v1/codes", {"phone": someone["phone"]})
    for _ in range(MOST_WAITS):
        if answer.status_code != 429:
            break
        # The demo is repeated: codes have limits by the minute, hour and day. A courier would wait as told; so do we.
        clock.advance(dt.timedelta(seconds=answer.json()["retry_after"]))
        answer = line.try_post("/courier/v1/codes", {"phone": someone["phone"]})
    if not answer.ok:
        raise Differs(f"courier code: {answer.status_code} {answer.text[:200]}")
    code = world.code_sent_to(story, someone["phone"], before)
    entered = line.post("/courier/v1/sessions", {"phone": someone["phone"], "code": code})
    line.token = entered["access_token"]
    story.step("骑手", "用手机验证码登录寄递窗口")
    return line, someone
