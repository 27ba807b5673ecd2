"""What can go wrong with a plan, said so that the planner knows what to do next."""

from dataclasses import dataclass

from backend.kernel.problems import Conflict, InvalidInput, members


@dataclass(frozen=True, slots=True)
class SheetFinding:
    """Something wrong in a workbook; row 1 is the headings, row 0 the sheet itself, without sheet the file."""

    sheet: str
    row: int
    column: str
    message: str


class PatternOverlaps(Conflict):
    """Two patterns for the same windows, item and subject at the same time; `pattern_id` is the other one."""

    slug = "pattern-overlaps"
    extras = members(pattern_id=str)
    title = "与已有的排班计划时间重叠，请先调整或撤回原计划。"


class PlanRefused(InvalidInput):
    """Something in a sheet is wrong and nothing was taken over; `findings` say what, by row and column."""

    slug = "plan-refused"
    extras = members(findings=list[SheetFinding])
    title = "排班表有错误，没有导入任何内容，请按提示修改后重新上传。"


class WindowInUse(Conflict):
    """A window that is serving somebody, or a group that is still planned for; the detail says which."""

    slug = "window-in-use"
    extras = members(window=int, letter=str)
    title = "窗口或窗口组正在使用，不能这样调整。"


class NotThisDay(Conflict):
    """Only days and slots that are not over can be closed, opened again or given other hours."""

    slug = "not-this-day"
    title = "只能调整今天或以后、还没有结束的日期和时段。"


class ItemsInUse(Conflict):
    """A site gives up items for which something is still planned, open or booked; `items` names them."""

    slug = "items-in-use"
    extras = members(items=list[str])
    title = "有事项还有排班、窗口组、时段或预约，不能取消，请先撤回安排。"


class DrawUnderWay(Conflict):
    """No rules are changed between the end of entries and the result of a draw; `release_id` is the draw."""

    slug = "draw-under-way"
    extras = members(release_id=str)
    title = "有摇号已截止报名、尚未公布结果，公布结果后才能修改预约规则。"
