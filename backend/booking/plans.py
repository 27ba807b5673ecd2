"""The planners' door of the booking office: what a department sees and changes of a site's plan, day and slots."""

from backend.booking.closures import close_day, close_slots, reopen_slots, set_hours, unset_day
from backend.booking.plan_import import export_plan, import_plan
from backend.booking.plan_sheet import MAX_BYTES, MEDIA
from backend.booking.plan_views import (
    Closing,
    DayChange,
    Displaced,
    Fitted,
    GroupView,
    GroupWish,
    PatternChange,
    PatternWish,
    Plan,
    PlanChange,
    PlannedSlot,
    RulesChange,
    Utilisation,
    WindowWish,
)
from backend.booking.planning import add_pattern, change_pattern, plan_of, put_rules, withdraw_pattern
from backend.booking.problems import DrawUnderWay, NotThisDay, PatternOverlaps, PlanRefused, WindowInUse
from backend.booking.rules import Rules
from backend.booking.utilisation import displaced_on, slots_on, utilisation
from backend.booking.windows import put_groups

__all__ = [
    "MAX_BYTES",
    "MEDIA",
    "Closing",
    "DayChange",
    "Displaced",
    "DrawUnderWay",
    "Fitted",
    "GroupView",
    "GroupWish",
    "NotThisDay",
    "PatternChange",
    "PatternOverlaps",
    "PatternWish",
    "Plan",
    "PlanChange",
    "PlanRefused",
    "PlannedSlot",
    "Rules",
    "RulesChange",
    "Utilisation",
    "WindowInUse",
    "WindowWish",
    "add_pattern",
    "change_pattern",
    "close_day",
    "close_slots",
    "displaced_on",
    "export_plan",
    "import_plan",
    "plan_of",
    "put_groups",
    "put_rules",
    "reopen_slots",
    "set_hours",
    "slots_on",
    "unset_day",
    "utilisation",
    "withdraw_pattern",
]
