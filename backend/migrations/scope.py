"""What Alembic looks at: our tables, but not the monthly partitions that chores make and drop."""

import re
from typing import Any

_PARTITION = re.compile(r"_(\d{6}|rest)$")


def is_ours(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's include_object hook."""
    table = thing if kind == "table" else getattr(thing, "table", None)
    table_name = name if kind == "table" else getattr(table, "name", "")
    return not (reflected and table_name and _PARTITION.search(table_name))
