"""What a test or a demo may tune: message limits, retry schedule, how long refunds and reports take."""

from typing import Any

from simulators.books import Doc, Page

_SHELF, _KEY = "control.preferences", "all"

# What a provider keeps of a payment is in millionths: 6000 are 0.6 %.
# SMS limits of Aliyun (rolling windows, STANDARDS §10); null lifts a limit. Seconds are real ones.
DEFAULTS: Doc = {
    "retry_seconds": [1, 1, 2, 3, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600],
    "sms_limits": {
        "code_per_minute": 1,
        "code_per_hour": 5,
        "code_per_day": 10,
        "number_per_day": 40,
        "notice_per_day": 50,
    },
    "sms_report_seconds": 0.2,
    "wxpay_refund_seconds": 0.2,
    "login_per_minute": 100,
    "wxpay_fee_ppm": 0,
    "alipay_fee_ppm": 0,
}


class UnknownPreference(ValueError):
    """No preference has this name, or the value has another shape."""


def read(page: Page) -> Doc:
    """All preferences as they stand."""
    kept = page.get(_SHELF, _KEY) or {}
    limits = DEFAULTS["sms_limits"] | kept.get("sms_limits", {})
    return DEFAULTS | kept | {"sms_limits": limits}


def change(page: Page, wishes: Doc) -> Doc:
    """Change some preferences and return all; raises UnknownPreference."""
    for name, value in wishes.items():
        _check(name, value)
    kept = page.get(_SHELF, _KEY) or {}
    if "sms_limits" in wishes:
        wishes = wishes | {"sms_limits": kept.get("sms_limits", {}) | wishes["sms_limits"]}
    page.put(_SHELF, _KEY, kept | wishes)
    return read(page)


def _check(name: str, value: Any) -> None:
    if name not in DEFAULTS:
        raise UnknownPreference(f"no preference is called {name}")
    if name == "sms_limits":
        strange = set(value) - set(DEFAULTS[name]) if isinstance(value, dict) else {"sms_limits"}
        if strange:
            raise UnknownPreference(f"not a limit: {', '.join(sorted(strange))}")
    elif name == "retry_seconds":
        if not isinstance(value, list) or not all(isinstance(wait, int | float) for wait in value):
            raise UnknownPreference("retry_seconds must be a list of numbers")
    elif value is not None and not isinstance(value, int | float):
        raise UnknownPreference(f"{name} must be a number or null")
