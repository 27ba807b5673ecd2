"""How much of a person may be shown, and what must never reach a log."""

import re

_DOUBLE = """
欧阳 太史 端木 上官 司马 东方 独孤 南宫 万俟 闻人 夏侯 诸葛 尉迟 公羊 赫连 澹台 皇甫 宗政 濮阳 公冶
太叔 申屠 公孙 慕容 仲孙 钟离 长孙 宇文 司徒 鲜于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 壤驷 公良
漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 梁丘 左丘 东门 西门 第五
"""
_DOUBLE_SURNAMES = frozenset(_DOUBLE.split())
_MOST_STARS = 2
_HIDDEN = "***"

_REGION = r"(?:[^省]{2,8}省|[^自]{2,6}自治区)?(?:[^市]{2,8}市)?(?:[^市区县旗]{1,10}[市区县旗])?"
_STREET = r"(?:[^0-9\uff10-\uff19]{1,12}?(?:街道|镇|乡|苏木|大道|路|街|巷))?"
_TO_STREET = re.compile(_REGION + _STREET)

_PRIVATE = re.compile(
    r"(?P<bearer>\b(?i:bearer)\s+)[A-Za-z0-9._~+/=-]+"
    r"|(?<!\d)(?P<area>\d{6})\d{8}(?P<order>\d{3}[\dXx])(?!\d)"
    r"|(?<!\d)(?P<network>(?:86)?1[3-9]\d)[ -]?\d{4}[ -]?(?P<line>\d{4})(?!\d)",
    re.ASCII,
)


def surname(name: str) -> str:
    """Surname of a Chinese name: a known double one, else the first character."""
    return name[:2] if len(name) > 2 and name[:2] in _DOUBLE_SURNAMES else name[:1]


def mask_name(name: str) -> str:
    """Surname and a star for each further character, at most two: 张*, 欧阳**."""
    shown = surname(name)
    return shown + "*" * min(max(len(name) - len(shown), 1), _MOST_STARS) if name else ""


def mask_id_no(id_no: str) -> str:
    """First six and last four of a resident identity number; of any other document only the ends."""
    if len(id_no) == 18:
        return f"{id_no[:6]}********{id_no[-4:]}"
    return _ends(id_no, 1) if len(id_no) > 2 else "*" * len(id_no)


def mask_phone(phone: str) -> str:
    """138****8000; of a number of another length only the last two digits."""
    if len(phone) == 11:
        return f"{phone[:3]}****{phone[-4:]}"
    return "*" * max(len(phone) - 2, 2) + phone[-2:] if len(phone) > 4 else "*" * len(phone)


def mask_address(address: str) -> str:
    """The address down to its township or street; what would lead to the door is hidden."""
    found = _TO_STREET.match(address)
    return (found[0] if found else "") + _HIDDEN if address else ""


def scrub(text: str) -> str:
    """Text fit for a log: identity numbers and mobile numbers masked, bearer tokens removed."""
    return _PRIVATE.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    if found["bearer"]:
        return found["bearer"] + _HIDDEN
    if found["area"]:
        return f"{found['area']}********{found['order']}"
    return f"{found['network']}****{found['line']}"


def _ends(text: str, shown: int) -> str:
    return text[:shown] + "*" * (len(text) - 2 * shown) + text[-shown:]
