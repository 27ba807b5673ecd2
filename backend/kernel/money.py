"""Money is counted in whole fen (分); yuan (元) exist only as text at the border."""

import re
from decimal import Decimal

_YUAN_TEXT = re.compile(r"\d{1,12}(\.\d{1,2})?", re.ASCII)
_TOO_MUCH = Decimal(10) ** 12


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
