"""The register of service items: guides, forms, fees and policy, versioned; departments, regions, the calendar.

Only a published version can be filed, and a case keeps the version it was filed under.
"""

from backend.catalogue import folded
from backend.catalogue.books import check_books
from backend.catalogue.calendars import calendar, calendar_years, due_on, load_calendar
from backend.catalogue.fees import fee_total_fen, fees_for
from backend.catalogue.forms import validate_form
from backend.catalogue.importing import Finding, ImportOutcome, import_catalogue
from backend.catalogue.policy import BookingRule, Policy, Term
from backend.catalogue.problems import (
    CalendarDiffers,
    CatalogueFileRefused,
    DepartmentUnknown,
    HasFindings,
    ItemNotPublished,
    ItemUnknown,
    RegionUnknown,
    VersionUnknown,
)
from backend.catalogue.questions import (
    department,
    departments,
    drafts,
    published_version,
    region,
    regions,
    search_items,
    themes,
    version,
    version_once_published,
    versions_of,
)
from backend.catalogue.services import load_base_data, open_catalogue, publish, withdraw
from backend.catalogue.views import (
    Contacts,
    Department,
    FeeLine,
    FeeRule,
    FormField,
    ItemCard,
    ItemVersion,
    Material,
    Question,
    Region,
    Result,
    Step,
    Theme,
    VersionSummary,
)

__all__ = [
    "BookingRule",
    "CalendarDiffers",
    "CatalogueFileRefused",
    "Contacts",
    "Department",
    "DepartmentUnknown",
    "FeeLine",
    "FeeRule",
    "Finding",
    "FormField",
    "HasFindings",
    "ImportOutcome",
    "ItemCard",
    "ItemNotPublished",
    "ItemUnknown",
    "ItemVersion",
    "Material",
    "Policy",
    "Question",
    "Region",
    "RegionUnknown",
    "Result",
    "Step",
    "Term",
    "Theme",
    "VersionSummary",
    "VersionUnknown",
    "calendar",
    "calendar_years",
    "check_books",
    "department",
    "departments",
    "drafts",
    "due_on",
    "fee_total_fen",
    "fees_for",
    "folded",
    "import_catalogue",
    "load_base_data",
    "load_calendar",
    "open_catalogue",
    "publish",
    "published_version",
    "region",
    "regions",
    "search_items",
    "themes",
    "validate_form",
    "version",
    "version_once_published",
    "versions_of",
    "withdraw",
]
