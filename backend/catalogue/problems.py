"""What the register refuses.

NotFound
├── ItemUnknown          no such item, version, department or region
Conflict
├── ItemNotPublished     the item exists, but citizens cannot file it (SH-09)
├── HasFindings          a record with findings cannot be published (BZ-33)
└── CalendarDiffers      a day of a loaded year was announced otherwise
InvalidInput
└── CatalogueFileRefused a file with structural errors changes nothing at all
"""

from collections.abc import Sequence

from backend.kernel.problems import Conflict, FieldError, InvalidInput, NotFound, members


class RowProblem(FieldError):
    """A structural error of a file. Row 0 is the file itself."""

    row: int
    item: str


class ItemUnknown(NotFound):
    """No item of this id."""

    slug = "item-unknown"
    title = "没有这个事项，请返回事项列表重新选择。"


class VersionUnknown(ItemUnknown):
    """No item version of this id."""


class DepartmentUnknown(NotFound):
    """No department of this id."""

    slug = "department-unknown"
    title = "没有这个部门，请重新选择。"


class RegionUnknown(NotFound):
    """No district or zone of this code."""

    slug = "region-unknown"
    title = "没有这个区县，请重新选择。"


class ItemNotPublished(Conflict):
    """Only what is public may be asked of citizens (SH-09)."""

    slug = "item-not-published"
    title = "该事项还没有公布办事指南，暂时不能在线申请，请拨打 12345 咨询。"


class HasFindings(Conflict):
    """The record is not complete or contradicts itself; `findings` names every gap."""

    slug = "item-has-findings"
    extras = members(findings=list[dict[str, str]])
    title = "事项资料还有需要补齐或更正的地方，处理后才能发布。"

    def __init__(self, detail: str | None = None, *, findings: Sequence[FieldError] = ()) -> None:
        self.findings = list(findings)
        super().__init__(detail, findings=self.findings)


class CalendarDiffers(Conflict):
    """The file announces days of a loaded year differently; `days` names them."""

    slug = "calendar-differs"
    extras = members(days=list[str])
    title = "该年度工作日历已经载入，且与文件不一致；确认要更换时请注明替换。"


class CatalogueFileRefused(InvalidInput):
    """The file has structural errors (`errors`: row, item, field, message); nothing was imported."""

    slug = "catalogue-file-refused"
    extras = members(total=int)
    title = "文件中有错误，没有导入任何内容，请更正后重新导入。"

    def __init__(self, detail: str, *, rows: Sequence[RowProblem], total: int) -> None:
        self.rows, self.total = list(rows), total
        super().__init__(detail, errors=self.rows, total=total)
