"""Exam places by draw: SI018, six people for four places; a place given back; a day on which the site is closed."""

import datetime as dt
import functools
from typing import Any

from backend.booking.releases.replaying import replay
from backend.kernel import clock
from demo import windows
from demo.citizen import Citizen
from demo.line import Line
from demo.story import Differs, Story
from demo.world import World, moment, spoken, to_the_moment

ITEM, SUBJECT, SITE, DEPARTMENT = "SI018", "科目二", "si-bozhou-exam", "BZ-GA"
PEOPLE, PLACES = 6, 4
SATURDAY = 5
HOUR = dt.timedelta(hours=1)
SOURCE = "报名截止后首个交易日上证综指收盘价"
VALUE = "3834.89"
"""Nobody knew it while people could still enter. A demo takes an invented one."""


def play(world: World) -> None:
    """Tell the whole journey."""
    story = Story("驾驶人考试（摇号、候补、停考）")
    planner = windows.staff(world, story, DEPARTMENT, "planner")
    other = windows.staff(world, story, "", "planner")
    people = [_newcomer(world, story) for _ in range(PEOPLE)]
    day = _one_slot_day(story, planner, people[0])
    try:
        release = _announce(story, planner, day)
        _enter(story, people, release)
        _draw(story, planner, other, release)
        winners, losers = _outcome(story, people, release)
        _wait_list(story, winners, losers[0], day)
        _closed_day(world, story, planner, [*winners[1:], losers[0]], day)
    finally:
        planner.post(f"/dept/v1/sites/{SITE}/plan/days/{day}", method="DELETE")


def _newcomer(world: World, story: Story) -> Citizen:
    citizen = Citizen(world, story, "wechat")
    citizen.log_in()
    citizen.register()
    return citizen


def _one_slot_day(story: Story, planner: Line, someone: Citizen) -> str:
    """The last day that is still wholly free gets one slot only: places are rare."""
    open_slots = someone.line.get("/mp/v1/slots", item_id=ITEM, site_id=SITE, subject=SUBJECT)["items"]
    days = sorted({_day(slot) for slot in open_slots})
    free = [
        day
        for day in days
        if all(slot["free"] == slot["capacity"] and not slot["release_id"] for slot in open_slots if _day(slot) == day)
    ]  # fmt: skip
    if not free:
        raise Differs("no day of the exam site is wholly free: `make clean`, then open the town anew")
    hours = {"kind": "hours", "hours": [["08:30", "09:00"]], "reason": "设备检修，只开一场"}
    planner.post(f"/dept/v1/sites/{SITE}/plan/days/{free[-1]}", hours, method="PUT")
    story.step("考试中心", f"{free[-1]} 只开一场", f"{SUBJECT} {PLACES} 个名额")
    return free[-1]


def _announce(story: Story, planner: Line, day: str) -> dict[str, Any]:
    now = clock.now()
    known_at = _close_of_trade(now + 4 * HOUR)
    release: dict[str, Any] = planner.post(
        f"/dept/v1/sites/{SITE}/releases",
        {
            "item_id": ITEM, "subject": SUBJECT, "from_day": day, "to_day": day, "mode": "draw",
            "entries_from": now.isoformat(), "entries_until": (now + 4 * HOUR).isoformat(),
            "opens_at": (known_at + HOUR).isoformat(), "public_source": SOURCE,
            "public_value_at": known_at.isoformat(),
        },
    )  # fmt: skip
    story.must("places of the draw", release["places"], PLACES)
    story.step("考试中心", "公布摇号", f"种子承诺值 {release['commitment'][:16]}…", f"公开参数：{SOURCE}")
    return release


def _enter(story: Story, people: list[Citizen], release: dict[str, Any]) -> None:
    for one in people:
        one.line.post(f"/mp/v1/releases/{release['id']}/entries", {"wishes": []})
    story.step("市民", f"{len(people)} 人报名", "报名先后不影响中签机会")


def _draw(story: Story, planner: Line, other: Line, release: dict[str, Any]) -> None:
    at = f"/dept/v1/releases/{release['id']}"
    to_the_moment(moment(release["entries_until"]) + dt.timedelta(minutes=1))
    story.until("entries closed", lambda: planner.get(at)["state"] == "closed" or None)
    to_the_moment(_close_of_trade(moment(release["entries_until"])))
    planner.post(f"{at}/public-value", {"value": VALUE})
    refused = planner.try_post(f"{at}/public-value/confirmation", {"value": VALUE})
    story.must("the same hands twice", refused.ok, False)
    other.post(f"{at}/public-value/confirmation", {"value": VALUE})
    story.step("考试中心", "两人先后登记公开参数", VALUE)
    planner.post(f"{at}/draw")
    story.until("the draw", lambda: planner.get(at)["state"] == "drawn" or None)
    to_the_moment(moment(release["opens_at"]) + dt.timedelta(minutes=1))


def _outcome(
    story: Story, people: list[Citizen], release: dict[str, Any]
) -> tuple[list[Citizen], list[Citizen]]:
    entries = {one: one.line.get(f"/mp/v1/releases/{release['id']}/entry") for one in people}
    winners = [one for one, entry in entries.items() if entry["state"] == "won"]
    losers = [one for one, entry in entries.items() if entry["state"] == "lost"]
    story.must("winners", len(winners), PLACES)
    story.must("losers", len(losers), PEOPLE - PLACES)
    record = people[0].line.get(f"/mp/v1/releases/{release['id']}/record")
    checks = replay(record)
    story.must(
        "what differs when the draw is computed again", [one.says for one in checks if not one.agrees], []
    )
    story.must("the entries in the record", len(record["order"]), PEOPLE)
    story.step("公众", "下载摇号记录，重新计算", f"{len(checks)} 项全部一致", f"种子 {record['seed'][:16]}…")
    winners[0].message("中签通知", "中签")
    return winners, losers


def _wait_list(story: Story, winners: list[Citizen], loser: Citizen, day: str) -> None:
    """Somebody gives a place back; who waits is offered it, and takes it."""
    wait = loser.line.post(
        "/mp/v1/waits",
        {"item_id": ITEM, "subject": SUBJECT, "site_id": SITE, "from_day": day, "to_day": day},
    )
    story.step("市民", "未中签，登记候补", f"前面还有 {wait['ahead']} 人")
    given_back = _booking(winners[0])
    winners[0].line.post(f"/mp/v1/bookings/{given_back['id']}/cancellation")
    story.step("市民", "中签者取消预约", "名额不公开，先问候补的人")

    def offered() -> dict[str, Any] | None:
        found = _booking(loser, "held")
        return found or None

    offer = story.until("the offer", offered)
    loser.message("候补通知", "候补")
    booked = loser.line.post(f"/mp/v1/bookings/{offer['id']}/confirmation")
    story.must("the offer taken", booked["state"], "confirmed")
    story.step("市民", "确认候补到的名额", spoken(booked["starts_at"]))


def _closed_day(world: World, story: Story, planner: Line, people: list[Citizen], day: str) -> None:
    """The site closes: everybody is offered another time, which is held for them."""
    closed = {"kind": "closed", "reason": "场地检修"}
    planner.post(f"/dept/v1/sites/{SITE}/plan/days/{day}", closed, method="PUT")
    story.step("考试中心", f"{day} 停考", f"{len(people)} 人受影响")
    for one in people:
        moved: dict[str, Any] = story.until("another time", functools.partial(_other_time, one))
        story.must("another day", _day(moved) != day, True)
    people[0].message("停考通知", "停")
    mine = _booking(people[0])
    done = people[0].line.post(f"/mp/v1/bookings/{mine['id']}/move/confirmation")
    story.must("the move", (done["state"], done["moving"]), ("confirmed", None))
    story.step("市民", "接受新的考试时间", spoken(done["starts_at"]))


def _close_of_trade(at: dt.datetime) -> dt.datetime:
    """When the exchange has closed on the first weekday after a moment's own day."""
    day = clock.day_of(at) + dt.timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += dt.timedelta(days=1)
    return clock.at_local(day, 15, 5)


def _other_time(one: Citizen) -> dict[str, Any] | None:
    other: dict[str, Any] | None = _booking(one).get("moving")
    return other


def _booking(one: Citizen, state: str = "confirmed") -> dict[str, Any]:
    """The person's booking in a state; empty when there is none."""
    found = one.line.get("/mp/v1/bookings")["items"]
    return next((booking for booking in found if booking["state"] == state), {})


def _day(slot: dict[str, Any]) -> str:
    return clock.day_of(moment(slot["starts_at"])).isoformat()
