"""Money is counted in whole fen (分); yuan (元) exist only as text at the border, in digits or in words."""

import re
from decimal import Decimal

_YUAN_TEXT = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
_TOO_MUCH = Decimal(10) ** 12
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿")
_MOST_IN_WORDS = 10**14


class MalformedAmount(ValueError):
    """Text that is not an amount of yuan with at most two decimals."""


def yuan(fen: int) -> str:
    """Amount for display and for providers that speak yuan: 1234 fen is "12.34"."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def fen_from_yuan(amount: str | Decimal) -> int:
    """Fen of an amount in yuan.

    Raises MalformedAmount for floats, signs, more than two decimals and sums of 10^12 yuan or more.
    """
    return int(_as_decimal(amount).scaleb(2))


def in_words(fen: int) -> str:
    """Amount in capital Chinese words as accounts and receipts write it: 1680.32 is 壹仟陆佰捌拾元零叁角贰分.

    After 《支付结算办法》 annex 1: one 零 for a row of noughts inside, and before 角 or 分 when the place above is a
    nought; 整 after 元 or 角, never after 分. Raises MalformedAmount below nothing and from 10^12 yuan.
    """
    if not 0 <= fen < _MOST_IN_WORDS:
        raise MalformedAmount("only amounts from nothing to 10^12 yuan are written in words")
    yuan_part, cents = divmod(fen, 100)
    if not cents:
        return f"{_whole_in_words(yuan_part) or '零'}元整"
    jiao, rest = divmod(cents, 10)
    words = f"{_whole_in_words(yuan_part)}元" if yuan_part else ""
    if yuan_part and (not jiao or yuan_part % 10 == 0):
        words += "零"
    words += f"{_DIGITS[jiao]}角" if jiao else ""
    return words + (f"{_DIGITS[rest]}分" if rest else "整")


def _whole_in_words(number: int) -> str:
    """Groups of four digits from the left; one 零 where a group that says something begins with a nought."""
    words = ""
    for power in (2, 1, 0):
        group = number // 10 ** (4 * power) % 10**4
        if group:
            words += ("零" if words and group < 1000 else "") + _group_in_words(group) + _GROUPS[power]
    return words


def _group_in_words(group: int) -> str:
    words = ""
    for power in (3, 2, 1, 0):
        digit = group // 10**power % 10
        if digit:
            words += _DIGITS[digit] + _PLACES[power]
        elif words and not words.endswith("零") and group % 10**power:
            words += "零"
    return words


def _as_decimal(amount: object) -> Decimal:
    # A float has already lost its fen, so it is refused although it could be converted.
    if isinstance(amount, str) and _YUAN_TEXT.fullmatch(amount):
        return Decimal(amount)
    if isinstance(amount, Decimal) and _is_plain(amount):
        return amount
    raise MalformedAmount("an amount of yuan is written with at most two decimals, without sign")


def _is_plain(amount: Decimal) -> bool:
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -2 and not amount.is_signed() and amount < _TOO_MUCH
