"""The rules of booking that hold at a site, for those who look at them one at a time."""

from backend.booking.models import RuleRow
from backend.booking.rules import Rules, rules_from
from backend.store.unit import Unit


def rules_of(u: Unit, site_id: str, item_id: str) -> Rules:
    """The rules of a site for an item; of the whole site where none is named."""
    whole, own = (u.get(RuleRow, (site_id, one)) for one in ("", item_id))
    return rules_from(whole.rules if whole else None, own.rules if own else None)
