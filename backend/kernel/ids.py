"""Names of things: prefixed ids for programs, short case numbers for people, secrets for sessions.

Prefixes: ps person, en enterprise, st staff, ri rider, sy department system, se session, it item, iv item
version, cs case, ma material, up upload, co correction, si site, sl slot, bk booking, pay payment, rf refund,
bi bill, pl pay link, rc receipt, wg window group, wi window, pt pattern, rl release, ey entry, wt wait,
bl block, tk ticket, cn companion, par parcel, ms message, gr grant, ad address, ev event, no notice, vw view.
"""

import re
import secrets
import unicodedata
from collections.abc import Callable

from backend.kernel import clock
from backend.kernel.identifiers import mod_37_36

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PREFIX = re.compile(r"[a-z]{2,3}")
_ID = re.compile(r"([a-z]{2,3})-[0-7][0-9a-hjkmnp-tv-z]{25}")
_CASE_NUMBER = re.compile(r"BZ[0-9A-HJKMNP-TV-Z]{12}")
_SEPARATORS = re.compile(r"[\s_\u2010-\u2015\u2212-]+")
_MISREAD = str.maketrans("OIL", "011")


class MalformedId(ValueError):
    """Text that is not one of our ids."""


def new_id(prefix: str) -> str:
    """A new id, such as "cs-01k…", that sorts by age: 48 bits of real milliseconds, then 80 random ones."""
    if not _PREFIX.fullmatch(prefix):
        raise MalformedId("a prefix is two or three small letters")
    milliseconds = int(clock.wire_seconds() * 1000)
    return f"{prefix}-{_base32((milliseconds << 80) | secrets.randbits(80), 26).lower()}"


def prefix_of(text: str) -> str:
    """The prefix of an id, which tells its kind. Raises MalformedId."""
    found = _ID.fullmatch(text)
    if found is None:
        raise MalformedId("not an id of ours")
    return found[1]


def case_number() -> str:
    """A number people can read out and type: "BZ", eleven random characters, one check character.

    The check (ISO/IEC 7064 MOD 37,36 over all before it) finds every single wrong character. I, L, O and
    U do not occur, not even as the check, because tidying reads the first three as 1 and 0.
    """
    return _with_check(lambda: "BZ" + _base32(secrets.randbits(55), 11))


def booking_number() -> str:
    """The same for an appointment: "Y", ten random characters, one check character; told at the window."""
    return _with_check(lambda: "Y" + _base32(secrets.randbits(50), 10))


def tidy_case_number(text: str) -> str:
    """A case number as we store it, from what somebody typed: case, spaces, dashes, O for 0, I or L for 1."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return _SEPARATORS.sub("", plain).translate(_MISREAD)


def is_case_number(text: str) -> bool:
    """Whether the text, once tidied, is a case number with a correct check character."""
    number = tidy_case_number(text)
    return _CASE_NUMBER.fullmatch(number) is not None and mod_37_36(number[:-1]) == number[-1]


def digits(count: int) -> str:
    """Secret decimal digits, for codes sent by short message."""
    return "".join(secrets.choice("0123456789") for _ in range(count))


def token() -> str:
    """A secret of 32 random bytes in URL-safe letters."""
    return secrets.token_urlsafe(32)


def _with_check(draw: Callable[[], str]) -> str:
    while True:
        body = draw()
        check = mod_37_36(body)
        if check in _CROCKFORD:
            return body + check


def _base32(number: int, length: int) -> str:
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))
