"""Whose site it is: a site of another department looks as if it did not exist."""

from backend import booking, people
from backend.kernel.problems import NotYours
from backend.runtime.audience import Principal
from backend.store.unit import Unit

PLANNING = ("planner", "system")
"""Whoever works for a department may look; only its planners and its own systems change what is planned."""


def require_own_site(u: Unit, site_id: str, who: Principal) -> None:
    """Raises NotYours for a site outside the caller's department or region, and for one that does not exist."""
    site = booking.site_of(u, site_id)
    if not people.may_handle(who, site.department_id, site.region_code):
        raise NotYours


def require_planner(u: Unit, site_id: str, who: Principal, roles: tuple[str, ...] = PLANNING) -> None:
    """Raises NotYours for a foreign site, OutsideYourScope for a colleague who does not plan."""
    require_own_site(u, site_id, who)
    site = booking.site_of(u, site_id)
    if not any(people.may_handle(who, site.department_id, site.region_code, role) for role in roles):
        raise people.OutsideYourScope
