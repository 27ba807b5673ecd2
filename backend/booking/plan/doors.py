"""The planners' door of the booking office: what a department sees and changes of a site's plan, day and slots."""

from backend.booking.closing.closures import close_day, close_slots, reopen_slots, set_hours, unset_day
from backend.booking.hall.problems import LetterInUse
from backend.booking.plan.patterns import (
    add_pattern,
    change_pattern,
    mismatches,
    plan_of,
    put_hours,
    put_rules,
    withdraw_pattern,
)
from backend.booking.plan.previews import previewed
from backend.booking.plan.problems import (
    DrawUnderWay,
    ItemsInUse,
    NotThisDay,
    PatternOverlaps,
    PlanRefused,
    WindowInUse,
)
from backend.booking.plan.sheet_import import export_plan, import_plan
from backend.booking.plan.siting import PlannedSite, SiteChange, SiteWish, add_site, degree, put_site
from backend.booking.plan.use_sheet import utilisation_book, utilisation_csv
from backend.booking.plan.use_views import Displaced, PlannedSlot, Utilisation
from backend.booking.plan.utilisation import displaced_on, slots_on, utilisation
from backend.booking.plan.views import (
    Closing,
    DayChange,
    Fitted,
    GroupView,
    GroupWish,
    HoursChange,
    KeptSlot,
    PatternChange,
    PatternWish,
    Plan,
    PlanChange,
    Preview,
    RulesChange,
    WindowWish,
)
from backend.booking.plan.windows import put_groups
from backend.booking.plan.workbook import MAX_BYTES, MEDIA
from backend.booking.rules import Rules

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
    "HoursChange",
    "ItemsInUse",
    "KeptSlot",
    "LetterInUse",
    "NotThisDay",
    "PatternChange",
    "PatternOverlaps",
    "PatternWish",
    "Plan",
    "PlanChange",
    "PlanRefused",
    "PlannedSite",
    "PlannedSlot",
    "Preview",
    "Rules",
    "RulesChange",
    "SiteChange",
    "SiteWish",
    "Utilisation",
    "WindowInUse",
    "WindowWish",
    "add_pattern",
    "add_site",
    "change_pattern",
    "close_day",
    "close_slots",
    "degree",
    "displaced_on",
    "export_plan",
    "import_plan",
    "mismatches",
    "plan_of",
    "previewed",
    "put_groups",
    "put_hours",
    "put_rules",
    "put_site",
    "reopen_slots",
    "set_hours",
    "slots_on",
    "unset_day",
    "utilisation",
    "utilisation_book",
    "utilisation_csv",
    "withdraw_pattern",
]
