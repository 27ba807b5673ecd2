"""Records and files for the tests of the register: whole ones made from the given data, to be spoilt on purpose."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from backend.catalogue import given
from backend.catalogue.completion import complete
from backend.catalogue.record import ItemRecord
from backend.catalogue.shaping import shape_version
from backend.catalogue.views import ItemVersion
from backend.store.unit import Actor

CLERK = Actor("staff", "st-test", "测试甲")


@cache
def _given() -> dict[str, dict[str, Any]]:
    return {record["item_id"]: record for record in given.read_json(given.ITEMS)}


def given_record(item_id: str) -> dict[str, Any]:
    """A record as it was given."""
    return copy.deepcopy(_given()[item_id])


def given_ids() -> list[str]:
    return sorted(_given())


def whole_record(item_id: str = "SI025", *, of: str = "SI025", **changes: Any) -> dict[str, Any]:
    """A record without findings, under another id if wanted, with some fields changed."""
    record = copy.deepcopy(complete(_given()[of]))
    return {**record, "item_id": item_id, **copy.deepcopy(changes)}


def numbered(item_id: str, **changes: Any) -> dict[str, Any]:
    """A whole record with codes of its own, for files of many items."""
    basic = f"{int.from_bytes(item_id.encode()) % 10**12:012d}"
    implement = whole_record()["implement_code_test"][:19] + basic
    codes = {
        "basic_code_test": basic,
        "implement_code_test": implement,
        "handle_item_code_test": implement + "01",
    }
    return whole_record(item_id, **{**codes, **changes})


def shaped(record: dict[str, Any]) -> ItemVersion:
    """The version that a record becomes, without a database."""
    return shape_version("iv-test", 1, record["dept_name"], ItemRecord.model_validate(record).content())


def as_file(folder: Path, records: Any, name: str = "items.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(records, ensure_ascii=False), "utf-8")
    return path
