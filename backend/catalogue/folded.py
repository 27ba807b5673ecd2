"""Questions to the catalogue that houses on the hot path fold into their own statements, instead of asking twice."""

from typing import Final

PUBLISHED: Final = (
    "(SELECT v.id FROM catalogue_item_version v WHERE v.item_id = {item} AND v.state = 'published')"
)
"""The version of an item that can be filed now: for `catalogue.version`. Null when there is none."""
