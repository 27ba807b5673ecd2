"""Money that goes wrong and comes right: asked back step by step, late, twice, and the morning after in the books."""

import datetime as dt
import secrets
from typing import Any

from backend.kernel import clock
from demo import windows
from demo.citizen import Citizen
from demo.line import Line
from demo.story import Story
from demo.world import World, to_the_moment

DEPARTMENT = "BZ-GA"
FACTOR = "皖S12345"
FEE_FEN = 10_000
PART_FEN = 4_000
STRANGE_FEN = 5_000
_CHANNELS = {"wechat_pay": "微信支付", "alipay": "支付宝"}


def play(world: World) -> None:
    """Tell the whole journey over two business days."""
    story = Story("退款、迟到的钱、付了两次的钱，和第二天早上的对账")
    office, finance = world.system(DEPARTMENT), windows.staff(world, story, "", "finance")
    _to_a_fresh_day(finance)
    payer = Citizen(world, story, "wechat")
    payer.log_in()
    payer.accept_messages("payment_refunded", "refund_listed")
    told = _refund_in_steps(story, office, finance, payer)
    _late_money(story, office, payer)
    _paid_twice(story, office, payer)
    _morning(world, story, finance)
    _after_settlement(story, finance, payer, told)


def _to_a_fresh_day(finance: Line) -> None:
    """Other journeys have lived through mornings to come: this one needs a day whose statements nobody has fetched."""
    fetched = [dt.date.fromisoformat(one["day"]) for one in finance.get("/dept/v1/statements")["items"]]
    if fetched and max(fetched) >= clock.today():
        to_the_moment(clock.at_local(max(fetched) + dt.timedelta(days=1), 10))


def _refund_in_steps(story: Story, office: Line, finance: Line, payer: Citizen) -> str:
    """A part of a fee goes back; returns the payment's id."""
    bill = _bill(story, office, payer)
    paid = payer.pay(f"/mp/v1/bills/{bill['id']}/payments", "微信支付缴费")
    asked = payer.line.post(
        f"/mp/v1/payments/{paid['id']}/refunds", {"reason": "多缴了一份工本费", "amount_fen": PART_FEN}
    )
    story.step("市民", "申请退回一部分", f"{_yuan(PART_FEN)} 元：{asked['says']}")
    finance.post(f"/dept/v1/refunds/{asked['id']}/approval")
    story.step("财务", "审核同意")

    def back() -> dict[str, Any] | None:
        seen: dict[str, Any] = payer.line.get(f"/mp/v1/payments/{paid['id']}")
        return seen if seen["refunds"][0]["state"] == "succeeded" else None

    seen = story.until("the money is back", back)
    story.must("refunded so far", seen["payment"]["refunded_fen"], PART_FEN)
    steps = [f"{one['says']}" for one in seen["refunds"][0]["steps"]]
    story.step("市民", "在手机上看到每一步", *steps)
    payer.message("退款到账通知", _yuan(PART_FEN))
    return str(paid["id"])


def _late_money(story: Story, office: Line, payer: Citizen) -> None:
    """The payment has expired and is closed, yet the channel lets the money through: it counts while it is due."""
    bill = _bill(story, office, payer)
    order = payer.line.post(f"/mp/v1/bills/{bill['id']}/payments", {"channel": "wechat_pay"})
    clock.advance(dt.timedelta(minutes=31))

    def closed() -> dict[str, Any] | None:
        seen: dict[str, Any] = payer.line.get(f"/mp/v1/payments/{order['payment_id']}")["payment"]
        return seen if seen["state"] == "closed" else None

    story.step("时钟", "支付单的 30 分钟已过", story.until("the payment closes", closed)["says"])
    payer.approve(order, late=True)
    story.step("市民", "停在收银台上，过后才点了付款")

    def known() -> dict[str, Any] | None:
        seen: dict[str, Any] = payer.line.get(f"/mp/v1/bills/{bill['id']}")
        return seen if seen["state"] == "paid" else None

    seen = story.until("the late money is honoured", known)
    story.step("市民", "钱到了就算数：缴款通知仍未缴，按支付成功办理", seen["says"])


def _paid_twice(story: Story, office: Line, payer: Citizen) -> None:
    """WeChat on the phone, Alipay in a browser: the second money goes back by itself."""
    bill = _bill(story, office, payer)
    where = f"/mp/v1/bills/{bill['id']}/payments"
    first = payer.line.post(where, {"channel": "wechat_pay"})
    second = payer.line.post(where, {"channel": "alipay", "product": "h5"})
    payer.approve(first)
    browser = {"url": second["parameters"]["url"], "decision": "approve"}
    payer.world.outside("/h5/pay", browser)
    story.step("市民", "微信里付了一次，浏览器里又用支付宝付了一次")

    def back() -> dict[str, Any] | None:
        pair = [payer.line.get(f"/mp/v1/payments/{one['payment_id']}")["payment"] for one in (first, second)]
        ended = {one["state"] for one in pair} == {"paid", "refunded"}
        return next(one for one in pair if one["state"] == "refunded") if ended else None

    returned = story.until("the second money is back", back)
    story.must("given back", returned["refunded_fen"], FEE_FEN)
    story.step("市民", "多付的一笔自动原路退回", f"{_yuan(FEE_FEN)} 元，{returned['says']}")


def _morning(world: World, story: Story, finance: Line) -> None:
    """The channels' statements beside the ledger; one of them was given a line more on purpose."""
    day, number = clock.today(), f"old{secrets.token_hex(8)}"
    planted = {"kind": "stranger", "number": number, "fen": STRANGE_FEN, "day": day.isoformat()}
    world.outside("/bills", {"provider": "wxpay"} | planted)
    to_the_moment(clock.at_local(day + dt.timedelta(days=1), 10, 30))
    story.step("时钟", "第二天上午 10:30，两个渠道的对账单已生成")

    def reconciled() -> list[dict[str, Any]] | None:
        seen = [one for one in finance.get("/dept/v1/statements")["items"] if one["day"] == day.isoformat()]
        return seen if [one["state"] for one in seen] == ["reconciled", "reconciled"] else None

    for one in story.until("both statements are reconciled", reconciled):
        sums = f"收 {_yuan(one['paid_fen'])} 元，退 {_yuan(one['returned_fen'])} 元，手续费 {_yuan(one['fee_fen'])} 元"
        story.step("财务", f"{_CHANNELS[one['channel']]}对账单已逐笔核对", f"{one['lines']} 笔：{sums}")
    _bank(story, finance, day, _difference(story, finance, number))


def _difference(story: Story, finance: Line, number: str) -> dict[str, Any]:
    """Money the channel has and no payment of ours explains: booked, looked into, and given to whom it belongs."""
    found = [
        one for one in finance.get("/dept/v1/differences", state="open")["items"] if one["number"] == number
    ]
    story.must("the line more is found", [one["kind"] for one in found], ["missing_here"])
    at, before = f"/dept/v1/differences/{found[0]['id']}", _balances(finance)
    decision = {"decision": "book", "reason": "渠道已收此笔，本地没有对应的支付，先记账再查"}
    booked = finance.post(f"{at}/decision", decision)
    story.step("财务", f"发现一条差异：{found[0]['kind_says']}，{_yuan(STRANGE_FEN)} 元", booked["says"])
    reason = "有人扫了交警支队窗口的旧收款码，款项归该单位"
    explained = {"to": "payee", "department_id": DEPARTMENT, "reason": reason}
    solved: dict[str, Any] = finance.post(f"{at}/explanation", explained)
    story.must("the difference is solved", solved["state"], "solved")
    after = _balances(finance)
    story.must("all accounts balance", sum(after.values()), 0)
    story.must("the difference account is as before", _grown(before, after, "difference:wechat_pay"), 0)
    story.must("the department has earned it", _grown(before, after, f"payee:{DEPARTMENT}"), -STRANGE_FEN)
    story.step("财务", f"查明差异：{reason}", f"{solved['says']}，差异账户已冲回，全部账户借贷相等")
    return solved


def _balances(finance: Line) -> dict[str, int]:
    """Every account of the ledger, page by page."""
    fen: dict[str, int] = {}
    asked: dict[str, Any] = {}
    while True:
        page = finance.get("/dept/v1/ledger/accounts", **asked)
        fen |= {one["account"]: one["balance_fen"] for one in page["items"]}
        if page["next"] is None:
            return fen
        asked = {"cursor": page["next"]}


def _grown(before: dict[str, int], after: dict[str, int], account: str) -> int:
    return after.get(account, 0) - before.get(account, 0)


def _bank(story: Story, finance: Line, day: dt.date, solved: dict[str, Any]) -> None:
    """What the bank was credited with, and what makes it up: a day's settlement, and the money found beside it."""
    settled = [
        one
        for one in finance.get("/dept/v1/settlements", payee=DEPARTMENT, channel="wechat_pay")["items"]
        if one["day"] == day.isoformat()
    ]
    story.must("one settlement of the day", len(settled), 1)
    credit = {
        "payee": DEPARTMENT, "channel": "wechat_pay", "reference": secrets.token_hex(8),
        "credited_on": clock.today().isoformat(), "amount_fen": settled[0]["net_fen"] + STRANGE_FEN,
    }  # fmt: skip
    told = finance.post("/dept/v1/bank-credits", credit)
    story.must("settlements of the credit", [one["id"] for one in told["settlements"]], [settled[0]["id"]])
    story.must("money found beside it", [one["id"] for one in told["differences"]], [solved["id"]])
    lines = finance.get(f"/dept/v1/settlements/{settled[0]['id']}/lines")["items"]
    made = f"{_yuan(told['amount_fen'])} 元：结算 {len(lines)} 笔，查明的差异款 {_yuan(STRANGE_FEN)} 元"
    story.step("财务", "银行到账分文不差地对上，看得到由哪些款项组成", made)


def _after_settlement(story: Story, finance: Line, payer: Citizen, payment_id: str) -> None:
    """The money is the treasury's now: the rest goes back as 退付."""
    asked = payer.line.post(f"/mp/v1/payments/{payment_id}/refunds", {"reason": "其余部分也多缴了"})
    listed = finance.post(f"/dept/v1/refunds/{asked['id']}/approval")
    story.must("after the settlement", listed["state"], "listed")
    payer.message("退付通知", _yuan(FEE_FEN - PART_FEN))
    step = f"/dept/v1/treasury/refunds/{asked['id']}"
    finance.post(f"{step}/submission", {"reference": f"退付{clock.today():%Y%m%d}"})
    done = finance.post(f"{step}/payment")
    story.step("财务", "款项已入国库：列入退付清单，报送后由国库退回", done["says"])
    seen = payer.line.get(f"/mp/v1/payments/{payment_id}")
    story.must("all of it is back", seen["payment"]["state"], "refunded")
    story.step("市民", "看到退付的每一步", *(one["says"] for one in seen["refunds"][-1]["steps"]))


def _bill(story: Story, office: Line, payer: Citizen) -> dict[str, Any]:
    """A fee of 100 yuan, pushed by the department and found by its payer."""
    notice = "3416" + "".join(str(secrets.randbelow(10)) for _ in range(16))
    office.post(
        "/dept/v1/bills",
        {
            "notice_no": notice, "second_factor": FACTOR, "kind": "fee", "item": "机动车号牌工本费",
            "principal_fen": FEE_FEN, "executing_unit": "亳州市公安局交警支队", "region_code": "341602",
            "issued_on": clock.today().isoformat(), "window_name": "交警支队窗口", "window_address": "示例路 1 号",
        },
    )  # fmt: skip
    story.step("交警系统", f"推送缴款通知 {notice}", f"{_yuan(FEE_FEN)} 元")
    asked = {"notice_no": notice, "second_factor": FACTOR}
    found: dict[str, Any] = payer.line.post("/mp/v1/bills/lookup", asked)
    return found


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
