"""What people call an item: every booking shows it, so it is asked once a minute and not each time."""

from typing import Final

from backend import catalogue
from backend.kernel import clock
from backend.store.unit import Unit

KEPT_FOR_S: Final = 60.0
_kept: dict[str, tuple[float, str]] = {}


def item_name(u: Unit, item_id: str) -> str:
    """The short name of an item, also when nobody can apply for it any more; empty when there is none."""
    now = clock.monotonic()
    until, name = _kept.get(item_id, (0.0, ""))
    if until <= now and (name := _read(u, item_id)):
        _kept[item_id] = now + KEPT_FOR_S, name
    return name


def _read(u: Unit, item_id: str) -> str:
    try:
        return catalogue.published_version(u, item_id).short_name
    except catalogue.ItemNotPublished:
        newest, *_ = catalogue.versions_of(u, item_id)
        return newest.name
    except catalogue.ItemUnknown:
        return ""
