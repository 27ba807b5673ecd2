"""Numbers and names that other authorities gave out: form and check digits, never existence.

Checks take either case of letters and nothing else untidy; tidy first, and store what tidying returns.
Reasons are told to citizens, so they say what to write instead.
"""

import re
import unicodedata
from datetime import date

from backend.kernel import clock

_ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_NO = re.compile(r"[1-9][0-9]{16}[0-9X]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(f"[{_USCC_ALPHABET}]{{18}}")
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_ELICENCE = re.compile(
    r"1\.2\.156\.3005\.2\.([0-9A-Z]{18}[0-9]{3})\.([0-9A-Z]+)\.([0-9A-Z]+)\.([0-9]{3})\.([0-9A-Z])"
)
_IMPLEMENTATION_CODE = re.compile(r"([0-9A-Z]{18})[1-6][0-9]{12}")
_HAN = "〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_NAME = re.compile(f"[{_HAN}]+(·[{_HAN}]+)*|[{_LATIN}]+([ '\u2019.·-]+[{_LATIN}]+)*[.]?")
_DOTS = ".\u00b7\u2022\u2027\u2219\u22c5\u30fb\uff0e\uff65"
_NAME_DOT = re.compile(f"(?<=[{_HAN}])\\s*[{_DOTS}]\\s*(?=[{_HAN}])")
_NAME_GAP = re.compile(f"(?<=[{_HAN}]) (?=[{_HAN}])")
_LONGEST_NAME = 100


def tidy_id_no(text: str) -> str:
    """A resident identity number as we store it: half-width, no spaces, a capital X."""
    return _half_width(text)


def id_no_problem(text: str) -> str | None:
    """Why the text is no resident identity number (GB 11643-1999), or None. Old area codes stay valid."""
    number = text.upper()
    if len(number) == 15 and number.isdecimal():
        return "15 位身份证号码已停用，请填写 18 位身份证号码。"
    if not _ID_NO.fullmatch(number):
        return "身份证号码应为 18 位数字，最后一位可以是 X，请核对。"
    try:
        born_on = birth_date(number)
    except ValueError:
        return "身份证号码中的出生日期不存在，请核对。"
    if born_on > clock.today():
        return "身份证号码中的出生日期还没有到，请核对。"
    if _mod_11_2(number[:17]) != number[17]:
        return "身份证号码有误，可能输错了某一位，请核对。"
    return None


def is_id_no(text: str) -> bool:
    """Whether the text is a resident identity number."""
    return id_no_problem(text) is None


def birth_date(id_no: str) -> date:
    """Date of birth written in a resident identity number. Raises ValueError if there is no such day."""
    return date(int(id_no[6:10]), int(id_no[10:12]), int(id_no[12:14]))


def age_of(id_no: str, today: date) -> int:
    """How many years old the number says that its owner is; 0 when it is none."""
    if not is_id_no(id_no):
        return 0
    born = birth_date(id_no)
    return (today.year - born.year) - ((today.month, today.day) < (born.month, born.day))


def tidy_uscc(text: str) -> str:
    """A unified social credit code as we store it: half-width capitals without spaces."""
    return _half_width(text)


def uscc_problem(text: str) -> str | None:
    """Why the text is no unified social credit code (GB 32100-2015), or None."""
    code = text.upper()
    if not _USCC.fullmatch(code):
        return "统一社会信用代码应为 18 位数字或大写字母（不含 I、O、S、V、Z），请核对。"
    if _mod_31(code[:17]) != code[17] or _organisation_check(code[8:16]) != code[16]:
        return "统一社会信用代码有误，可能输错了某一位，请核对。"
    return None


def is_uscc(text: str) -> bool:
    """Whether the text is a unified social credit code."""
    return uscc_problem(text) is None


def is_implementation_code(text: str) -> bool:
    """Whether the text is an implementation code of a service item (实施编码, GB/T 39554.1)."""
    found = _IMPLEMENTATION_CODE.fullmatch(text)
    return found is not None and is_uscc(found[1])


def tidy_mobile(text: str) -> str:
    """A mobile number as we store it: eleven digits without spaces, dashes or +86."""
    plain = re.sub(r"[-‐-―()]", "", _half_width(text))
    return re.sub(r"^(\+|00)?86(?=1[0-9]{10}$)", "", plain)


def is_mobile(text: str) -> bool:
    """Whether the text is a mainland mobile number that can receive messages."""
    return _MOBILE.fullmatch(text) is not None


def tidy_person_name(text: str) -> str:
    """A person's name as we store it: no needless spaces, the dot of minority names written ·."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return _NAME_GAP.sub("", _NAME_DOT.sub("·", plain))


def person_name_problem(text: str) -> str | None:
    """Why the text is no name of a person, or None. Rare Han characters, · and Latin letters are names."""
    if not 2 <= len(text) <= _LONGEST_NAME:
        return f"姓名应为 2 至 {_LONGEST_NAME} 个字，请按证件填写。"
    if not _NAME.fullmatch(text):
        return "姓名只能有汉字、字母和间隔号“·”，请按证件填写。"
    return None


def elicence_problem(text: str) -> str | None:
    """Why the text is no electronic licence identifier (GB/T 36904-2018), or None."""
    found = _ELICENCE.fullmatch(text.upper())
    if found is None:
        return "电子证照标识格式不对，请核对。"
    if mod_37_36("".join(found.groups()[:4])) != found[5]:
        return "电子证照标识有误，可能输错了某一位，请核对。"
    return None


def is_elicence(text: str) -> bool:
    """Whether the text is an electronic licence identifier with a correct check character."""
    return elicence_problem(text) is None


def mod_37_36(text: str) -> str:
    """Check character of ISO/IEC 7064 MOD 37,36. Raises ValueError for all but digits and capital letters."""
    product = 36
    for character in text:
        product = ((product + _ALNUM.index(character)) % 36 or 36) * 2 % 37
    return _ALNUM[(37 - product) % 36]


def _mod_11_2(digits: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def _mod_31(code: str) -> str:
    total = sum(_USCC_ALPHABET.index(c) * weight for c, weight in zip(code, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31]


def _organisation_check(code: str) -> str:
    """Check character of an organisation code (GB 11714)."""
    total = sum(_ALNUM.index(c) * weight for c, weight in zip(code, _ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def _half_width(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).upper()
