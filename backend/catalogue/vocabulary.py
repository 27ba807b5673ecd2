"""Words of the national item standards, as codes and names: what may stand in a record at all.

Sources: STANDARDS §1 (GB/T 39554, item types, levels, kinds of handling and of result). Vendors number some of
these differently, so a bare number is never trusted without its name.
"""

import re
from typing import Final

ITEM_TYPES: Final = {
    "01": "行政许可",
    "02": "行政处罚",
    "03": "行政强制",
    "04": "行政征收",
    "05": "行政给付",
    "06": "行政检查",
    "07": "行政确认",
    "08": "行政奖励",
    "09": "行政裁决",
    "10": "其他行政权力",
    "20": "公共服务",
}
LICENCE: Final = "01"
"""Administrative licences: the law on them gives applicants more than other items do."""

LEVELS: Final = {
    "1": "国家级",
    "2": "省级",
    "3": "市级",
    "4": "县级",
    "5": "镇(乡、街道)级",
    "6": "村(社区)级",
}
HANDLING: Final = {"1": "即办件", "2": "承诺件"}
IMMEDIATE: Final = "即办件"
BY_MAIL: Final = "two_way_mail"
FULLY_ONLINE: Final = 4
PAPER: Final = "P"

RESULT_KINDS: Final = (("批复", "审批办结"), ("证", "出证办结"), ("文", "出文办结"))
"""Ending of a result's name, and the kind of result it makes (Wenzhou audit rule)."""

LICENCE_STEPS: Final = ("受理", "审核", "审批", "办结", "送达")
AREA_CODED: Final = re.compile(r"0558-[0-9]{7,8}")
"""A telephone number with the area code of the city."""

_REMARK = re.compile(r"[(\uff08][^()\uff08\uff09]*(?:一般知识|核对|种子)[^()\uff08\uff09]*[)\uff09]")
_NO_GROUND: Final = frozenset({"", "一般知识"})


def plain_ground(text: str | None) -> str | None:
    """A legal or price ground without the compilers' remarks on where they saw it; None if only remarks remain."""
    tidy = _REMARK.sub("", text or "").strip()
    return None if tidy in _NO_GROUND else tidy
