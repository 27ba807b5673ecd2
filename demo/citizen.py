"""A citizen with a phone: logs in through a mini-program, registers, files, pays, and reads what arrives."""

import io
from typing import Any

from PIL import Image, ImageDraw

from demo.line import Line
from demo.story import Story
from demo.world import World


class Citizen:
    """Somebody of the population with a phone in the hand."""

    def __init__(self, world: World, story: Story, platform: str) -> None:
        self.world, self.story, self.platform = world, story, platform
        self.person = world.new_person()
        self.line = Line(world.town_url)
        self.account = ""

    @property
    def phone(self) -> str:
        return self.person["phone"]

    def log_in(self) -> None:
        """Through the platform's own login; the platform vouches for the phone number."""
        entered = self._by_wechat() if self.platform == "wechat" else self._by_alipay()
        self.line.token = entered["tickets"]["access_token"]
        seen = entered["person"]
        self.story.step(
            "市民", f"登录{_PLATFORMS[self.platform]}", f"手机 {seen['phone_masked']}，{seen['level_label']}"
        )

    def register(self) -> None:
        """Give name and ID number; the authority checks them."""
        text = self.line.get("/mp/v1/consents/real_name")
        body = {
            "name": self.person["name"],
            "id_no": self.person["id_no"],
            "consent_version": text["version"],
        }
        done = self.line.post("/mp/v1/me/real-name", body)
        if done["tickets"]:
            self.line.token = done["tickets"]["access_token"]
        self.story.must("level", done["person"]["level"], 2)
        who = done["person"]
        self.story.step(
            "市民", "实名注册", f"姓名 {who['name_masked']}，证件 {who['id_no_masked']}，{who['level_label']}"
        )

    def accept_messages(self, *kinds: str) -> None:
        """Tap 允许 in WeChat's dialog for these kinds of message; the client tells the town."""
        templates = self.line.get("/mp/v1/messages/templates")
        wanted = [t["template_id"] for t in templates if set(t["kinds"]) & set(kinds)]
        self.world.outside("/wechat/accept", {"openid": self.account, "template_ids": wanted})
        self.line.post("/mp/v1/messages/grants", {"accepted": list(kinds)})
        self.story.step("市民", "允许接收微信订阅消息", f"{len(wanted)} 个模板")

    def photo(self) -> str:
        """Upload a photograph; returns its id."""
        upload: dict[str, Any] = self.line.upload("/mp/v1/uploads", _photograph(), "image/jpeg")
        return str(upload["upload_id"])

    def address(self) -> str:
        """Add an address to the book; returns its id."""
        added: dict[str, Any] = self.line.post(
            "/mp/v1/me/addresses",
            {
                "name": self.person["name"], "phone": self.phone, "region_code": "341602", "province": "安徽省",
                "city": "亳州市", "district": "谯城区", "street": "示例路", "detail": "1 号 2 单元 301 室",
            },
        )  # fmt: skip
        return str(added["id"])

    def case(self, case_id: str) -> dict[str, Any]:
        """The timeline of a case."""
        seen: dict[str, Any] = self.line.get(f"/mp/v1/cases/{case_id}")
        return seen

    def waits_for(self, case_id: str, state: str) -> dict[str, Any]:
        """The timeline, once the case is in a state."""

        def look() -> dict[str, Any] | None:
            seen = self.case(case_id)
            return seen if seen["state"] == state else None

        return self.story.until(f"case in state {state}", look)

    def message(self, what: str, *words: str) -> str:
        """The newest message (WeChat or SMS) with all these words, once it is there."""

        def look() -> str | None:
            found = [text for text in self.messages() if all(word in text for word in words)]
            return found[-1] if found else None

        text = self.story.until(f"message: {what}", look)
        self.story.step("市民手机", what, text)
        return text

    def messages(self) -> list[str]:
        """Everything on the phone: SMS, and WeChat messages as one line each."""
        texts = [message["text"] for message in self.world.texts_of(self.phone)]
        if self.platform == "wechat":
            cards = self.world.outside("/wechat/inbox", openid=self.account)["messages"]
            texts += [f"[微信] {c['title']}：" + "，".join(f["value"] for f in c["fields"]) for c in cards]
        return texts

    def pay(self, where: str, what: str) -> dict[str, Any]:
        """Open a payment, approve it on the phone, and come back when the town knows that it is paid."""
        channel = "wechat_pay" if self.platform == "wechat" else "alipay"
        order = self.line.post(where, {"channel": channel})
        payment_id = order["payment_id"]
        self.approve(order)

        def look() -> dict[str, Any] | None:
            seen = self.line.get(f"/mp/v1/payments/{payment_id}")
            return seen if seen["payment"]["state"] == "paid" else None

        paid: dict[str, Any] = self.story.until("the payment is known", look)["payment"]
        self.story.step("市民", what, f"金额 {paid['amount_fen'] / 100:.2f} 元，{paid['says']}")
        return paid

    def approve(self, order: dict[str, Any], *, late: bool = False) -> None:
        """Say yes on the platform's payment sheet; `late`: on one that should be closed by now."""
        told, said = order["parameters"], {"decision": "approve", "late": late}
        if self.platform == "wechat":
            self.world.outside("/wxpay/pay", {"openid": self.account, "params": told} | said)
        else:
            self.world.outside("/alipay/pay", {"trade_no": told["tradeNO"], "open_id": self.account} | said)

    def _by_wechat(self) -> dict[str, Any]:
        given = self.world.outside("/wechat/login", {"phone": self.phone})
        self.account = given["openid"]
        body = {"code": given["code"], "phone_code": given["phone_code"]}
        entered: dict[str, Any] = self.line.post("/mp/v1/sessions/wechat", body)
        return entered

    def _by_alipay(self) -> dict[str, Any]:
        given = self.world.outside("/alipay/login", {"phone": self.phone})
        self.account = given["open_id"]
        phone = {name: given["encrypted_phone"][name] for name in ("response", "sign")}
        entered: dict[str, Any] = self.line.post(
            "/mp/v1/sessions/alipay", {"auth_code": given["auth_code"], "phone": phone}
        )
        return entered


_PLATFORMS = {"wechat": "微信小程序", "alipay": "支付宝小程序"}


def _photograph() -> bytes:
    """A picture of nothing, as JPEG."""
    picture = Image.new("RGB", (640, 400), "white")
    ImageDraw.Draw(picture).rectangle((20, 20, 620, 380), outline="black", width=3)
    with io.BytesIO() as stream:
        picture.save(stream, "JPEG", quality=80)
        return stream.getvalue()
