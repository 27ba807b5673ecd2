"""The channels' statements of a day, read line by line: nothing is held in memory, nothing half right is believed.

Each provider closes its file with its own counts and sums. They are compared at the end of the file, so a reader must
be read to its end before anything it has yielded counts. Raises Spoilt for a file that is not what it should be.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from operator import itemgetter
from typing import IO, Final, NamedTuple, NoReturn

from backend.kernel.clock import SHANGHAI
from backend.kernel.money import MalformedAmount, fen_from_yuan
from backend.runtime.settings import settings
from payments.channels.port import BillFile

LONGEST_LINE: Final = 8192
"""Bytes. In neither of the encodings is the end of a line part of a longer character."""
MOST_BLANK: Final = 10
"""A file may end with an empty line or two; a file made of them is spoilt."""
PAID, RETURNED = "paid", "returned"
_NUMBER: Final = re.compile(r"[0-9A-Za-z_*|@-]{1,64}")
_PARTS_OF_FEE: Final = re.compile(r"(-?)(\d{1,10})(?:\.(\d{1,5}))?", re.ASCII)
_FEE_SCALE: Final = 1000
"""A provider writes fees with five decimals of a yuan: a thousandth of a fen."""


class Spoilt(ValueError):
    """Why a statement cannot be used: `why` is a short word that the house has a sentence for."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(f"{why} (line {line})")
        self.why, self.line = why, line


class Line(NamedTuple):
    """What happened, in our words. `fee_fen` is what the channel kept (negative: gave back); `number` is ours."""

    kind: str
    number: str
    payment_number: str
    reference: str
    amount_fen: int
    fee_fen: int
    happened_at: datetime


@dataclass(slots=True)
class _Sums:
    """What was read so far, to be compared with what the provider says."""

    lines: dict[str, int]
    fen: dict[str, int]
    fee: int = 0
    """In thousandths of a fen."""


def lines_of(channel: str, bill: BillFile, day: date) -> Iterator[Line]:
    """The lines of a channel's statement of `day` (Beijing time). Raises Spoilt, at its end at the latest."""
    return _READERS[channel](_Text(bill.file, bill.encoding), day)


class _Text:
    """Lines of a file without their ends: none too long, few of them blank, all of them in the right encoding."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file, self._encoding, self.number = file, encoding, 0

    def __iter__(self) -> Iterator[str]:
        blank = 0
        for raw in iter(partial(self._file.readline, LONGEST_LINE), b""):
            self.number += 1
            if len(raw) == LONGEST_LINE:
                self.fail("line_too_long")
            if line := self._decoded(raw).rstrip("\r\n").removeprefix("\ufeff"):
                yield line
            elif (blank := blank + 1) > MOST_BLANK:
                self.fail("blank_lines")

    def _decoded(self, raw: bytes) -> str:
        try:
            line = raw.decode(self._encoding)
        except UnicodeDecodeError:
            self.fail("encoding")
        return self.fail("encoding") if "\0" in line else line

    def fail(self, why: str) -> NoReturn:
        raise Spoilt(why, self.number)


_W_NEEDED = (
    "交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "货币种类", "微信退款单号", "商户退款单号",
    "退款状态", "手续费", "订单金额", "申请退款金额",
)  # fmt: skip
_W_SUMS = ("总交易单数", "手续费总金额", "订单总金额", "申请退款总金额")
_W_KINDS = {"SUCCESS": PAID, "REFUND": RETURNED, "REVOKED": RETURNED}
_W_DONE = "SUCCESS"
_W_CURRENCY = "CNY"


def _wechat_lines(text: _Text, day: date) -> Iterator[Line]:
    """CSV whose values begin with a backtick; a heading and a line of sums at its end."""
    lines, merchant = iter(text), settings().wxpay.mchid
    head = next(lines, "").split(",")
    pick, width = _picker(text, head, _W_NEEDED), len(head)
    sums = _Sums({PAID: 0, RETURNED: 0}, {PAID: 0, RETURNED: 0})
    for line in lines:
        if line[0] != "`":
            _check_wechat_sums(text, line.split(","), next(lines, ""), sums)
            return
        values = line[1:].split(",`")
        if len(values) != width:
            text.fail("columns")
        at, mchid, tx, number, state, money, back_tx, back_number, back_state, fee, amount, back = pick(
            values
        )
        if mchid != merchant:
            text.fail("merchant")
        if money != _W_CURRENCY:
            text.fail("currency")
        kind = _W_KINDS.get(state) or text.fail("state")
        fen, kept = _fen(text, amount if kind == PAID else back), _fee(text, fee)
        sums.lines[kind] += 1
        sums.fen[kind] += fen
        sums.fee += kept
        if kind == PAID:
            yield Line(
                PAID, _number(text, number), number, tx[:64], fen, _whole(abs(kept)), _at(text, at, day)
            )
        elif back_state == _W_DONE:
            _number(text, number)
            when, given = _at(text, at, day), -_whole(abs(kept))
            yield Line(RETURNED, _number(text, back_number), number, back_tx[:64], fen, given, when)
    text.fail("cut_off")


def _check_wechat_sums(text: _Text, head: Sequence[str], line: str, sums: _Sums) -> None:
    values = line[1:].split(",`")
    if not line or len(values) != len(head):
        text.fail("cut_off")
    count, fee, paid, back = _picker(text, head, _W_SUMS)(values)
    if count != str(sum(sums.lines.values())):
        text.fail("sums")
    if (_fen(text, paid), _fen(text, back)) != (sums.fen[PAID], sums.fen[RETURNED]):
        text.fail("sums")
    if abs(_fee(text, fee) - sums.fee) > _FEE_SCALE // 2:
        text.fail("sums")


_A_NEEDED = (
    "支付宝交易号", "商户订单号", "业务类型", "完成时间", "订单金额（元）", "商家实收（元）", "退款批次号/请求号",
    "服务费（元）",
)  # fmt: skip
_A_KINDS = {"交易": PAID, "退款": RETURNED}
_A_ACCOUNT = re.compile(r"#账号：\[(\d+)\]")
_A_DAYS = re.compile(r"#起始日期：\[(\d{4})年(\d{2})月(\d{2})日 00:00:00\]\s+终止日期：\[")
_A_SUMS = {
    PAID: re.compile(r"#交易合计：(\d+)笔，商家实收共(-?[\d.]+)元"),
    RETURNED: re.compile(r"#退款合计：(\d+)笔，商家实收退款共(-?[\d.]+)元"),
}


def _alipay_lines(text: _Text, day: date) -> Iterator[Line]:
    """CSV framed by lines that begin with "#"; values end with a tab, what went back is negative."""
    lines = iter(text)
    head = [value.strip() for value in _alipay_frame(text, lines, day).split(",")]
    pick, width = _picker(text, head, _A_NEEDED), len(head)
    sums = _Sums({PAID: 0, RETURNED: 0}, {PAID: 0, RETURNED: 0})
    for line in lines:
        if line[0] == "#":
            _check_alipay_sums(text, lines, sums)
            return
        values = line.split(",")
        if len(values) != width:
            text.fail("columns")
        tx, number, word, at, amount, received, back_number, fee = map(str.strip, pick(values))
        kind = _A_KINDS.get(word) or text.fail("state")
        sign = 1 if kind == PAID else -1
        sums.lines[kind] += 1
        sums.fen[kind] += _signed(text, received)
        told = _number(text, number if kind == PAID else back_number)
        kept, fen = sign * _whole(abs(_fee(text, fee))), sign * _signed(text, amount)
        yield Line(kind, told, _number(text, number), tx[:64], fen, kept, _at(text, at, day))
    text.fail("cut_off")


def _alipay_frame(text: _Text, lines: Iterator[str], day: date) -> str:
    """Everything above the heading, which is returned: whose file it is, and of which day."""
    owner = begins = ""
    for line in lines:
        if line[0] != "#":
            break
        if found := _A_ACCOUNT.match(line):
            owner = found[1]
        elif found := _A_DAYS.match(line):
            begins = "-".join(found.groups())
    else:
        text.fail("cut_off")
    if not owner.startswith(settings().alipay.seller_id):
        text.fail("merchant")
    if begins != day.isoformat():
        text.fail("other_day")
    return line


def _check_alipay_sums(text: _Text, lines: Iterator[str], sums: _Sums) -> None:
    seen = set()
    for line in lines:
        for kind, pattern in _A_SUMS.items():
            if found := pattern.match(line):
                seen.add(kind)
                if (int(found[1]), _signed(text, found[2])) != (sums.lines[kind], sums.fen[kind]):
                    text.fail("sums")
    if seen != set(_A_SUMS):
        text.fail("cut_off")


_READERS: Final[dict[str, Callable[[_Text, date], Iterator[Line]]]] = {
    "wechat_pay": _wechat_lines,
    "alipay": _alipay_lines,
}


def _picker(
    text: _Text, head: Sequence[str], wanted: Sequence[str]
) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Takes the wanted columns out of a line, wherever the provider has put them."""
    places = {name: place for place, name in enumerate(head)}
    if not places.keys() >= set(wanted):
        text.fail("columns")
    pick: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*(places[name] for name in wanted))
    return pick


def _number(text: _Text, number: str) -> str:
    return number if _NUMBER.fullmatch(number) else text.fail("number")


def _fen(text: _Text, amount: str) -> int:
    try:
        return fen_from_yuan(amount)
    except MalformedAmount:
        text.fail("amount")


def _signed(text: _Text, amount: str) -> int:
    return -_fen(text, amount[1:]) if amount.startswith("-") else _fen(text, amount)


def _fee(text: _Text, fee: str) -> int:
    """Thousandths of a fen."""
    found = _PARTS_OF_FEE.fullmatch(fee)
    if found is None:
        text.fail("amount")
    size = int(found[2]) * 100 * _FEE_SCALE + int((found[3] or "").ljust(5, "0"))
    return -size if found[1] else size


def _whole(fee: int) -> int:
    """Fen of a fee that is not negative, rounded as providers do."""
    return (fee + _FEE_SCALE // 2) // _FEE_SCALE


def _at(text: _Text, told: str, day: date) -> datetime:
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        text.fail("time")
    if at.date() != day or at.tzinfo is not None:
        text.fail("other_day")
    return at.replace(tzinfo=SHANGHAI)
