"""Items, people, officers and applications for the tests of the house of cases."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from backend import cases, catalogue, people
from backend.catalogue import given
from backend.catalogue.completion import complete
from backend.contracts import PersonRegistered
from backend.kernel import ids
from backend.people import register
from backend.people.machine import PERSON
from backend.runtime.audience import Principal
from backend.store.unit import SYSTEM, Actor, Unit, run_unit

LAND, POLICE, CITY, COUNTY, OTHER_COUNTY = "BZ-GT", "BZ-GA", "341600", "341621", "341622"
HOME, LICENCE, SLOW, CHANGING = "SI901", "SI902", "SI903", "SI904"
"""A home (pre-review, booking, fee), a licence (mail, pauses, no fee), office hours, a guide that changes."""

FORM = {
    "house_kind": "residential",
    "owner_kind": "person",
    "owner_name": "测试甲",
    "owner_id_no": "11010519491231002X",
    "owner_phone": "13800138000",
    "house_address": "亳州市谯城区测试路1号1幢101室",
    "building_area": "98.50",
    "certificate_count": 2,
}
WHEREABOUTS = people.Whereabouts(
    name="测试甲",
    phone="13800138000",
    region_code="341602",
    province="安徽省",
    city="亳州市",
    district="谯城区",
    street="测试街道",
    detail="1号",
)
_NO_FEE = {"is_fee": False, "fees": [], "pay_online": False}
_LICENCE = {
    "item_type_code": "01",
    "item_type": "行政许可",
    "pre_review_hours": None,
    "bookable": False,
    "booking": None,
    "special_procedures": ["专家评审"],
    "promise_days": 10,
    "legal_days": 20,
    "compress_ratio": 0.5,
    "mail_materials": True,
    "steps": [
        {"name": name, "office": "测试岗", "days": 1, "unit": "WD", "says": f"{name}环节"}
        for name in ("受理", "审核", "审批", "办结", "送达")
    ],
    **_NO_FEE,
}


@cache
def _home_record() -> dict[str, Any]:
    raw = next(record for record in given.read_json(given.ITEMS) if record["item_id"] == "SI025")
    return complete(raw)


def _record(item_id: str, policy: dict[str, Any], **changes: Any) -> dict[str, Any]:
    record = copy.deepcopy(_home_record())
    basic = f"{int(item_id[2:]):012d}"
    implement = record["implement_code_test"][:19] + basic
    codes = {
        "basic_code_test": basic,
        "implement_code_test": implement,
        "handle_item_code_test": implement + "01",
    }
    return {
        **record,
        **codes,
        **changes,
        "item_id": item_id,
        "name": f"测试事项{item_id}",
        "policy": {**record["policy"], **policy},
    }


def publish_items(folder: Path) -> None:
    """Import and publish the test items."""
    licence = {
        "deemed_acceptance_workdays": 5,
        "extension": {"days": 10, "unit": "WD"},
        "booking_after": None,
    }
    records = [
        _record(HOME, {}),
        _record(LICENCE, {**licence, "correction_term": {"days": 10, "unit": "WD"}}, **_LICENCE),
        _record(
            SLOW,
            {"pre_review_unit": "working", "booking_after": None, "deemed_acceptance_workdays": None},
            **_NO_FEE,
        ),
    ]
    publish_records(folder, [*records, changing_record()])


def changing_record(**changes: Any) -> dict[str, Any]:
    """The item whose guide changes while cases are under way."""
    return _record(CHANGING, {}, **changes)


def publish_records(folder: Path, records: list[dict[str, Any]]) -> None:
    file = folder / "items.json"
    file.write_text(json.dumps(records, ensure_ascii=False), "utf-8")
    outcome = catalogue.import_catalogue(file, SYSTEM)
    assert not outcome.findings, outcome
    for record in records:
        run_unit(lambda u, item_id=record["item_id"]: catalogue.publish(u, item_id, SYSTEM))  # type: ignore[misc]


def id_number() -> str:
    """A resident identity number of nobody: a made-up county, a correct check digit."""
    drawn = ids.digits(8)
    body = f"3499{drawn[:2]}19{int(drawn[2:4]) % 90 + 10}0{int(drawn[4]) % 9 + 1}1{drawn[5]}{drawn[5:8]}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def make_citizen(u: Unit, *, verified: bool = True) -> str:
    """A citizen of the register, as the identity authority would have confirmed; returns the id."""
    person = register.new_person(u)
    register.write_phone(person, "138" + ids.digits(8))
    u.step(PERSON, person, "phone_proven", by=SYSTEM)
    if verified:
        register.write_identity(person, "测试甲", id_number(), "authority")
        u.step(PERSON, person, "identity_verified", by=SYSTEM)
        u.record(PersonRegistered(person.id, person.id))
    u.session.flush()
    return person.id


def officer(department: str = LAND, region: str | None = CITY, role: str = "handler") -> Principal:
    """An officer with one role in one department and region."""
    return Principal(
        "staff",
        ids.new_id("st"),
        label="测试部门 审核岗",
        department_id=department,
        region_code=region,
        roles=frozenset({role}),
        extra={"scopes": f"{role}/{department}/{region or '*'}"},
    )


def citizen(person_id: str) -> Actor:
    return Actor("citizen", person_id, "申请人")


def materials(version: catalogue.ItemVersion, **modes: str) -> tuple[cases.MaterialGiven, ...]:
    """All required materials, each in the easiest way the guide takes, or as told by code."""
    return tuple(
        cases.MaterialGiven(one.code, modes.get(one.code) or ("form" if one.source == "self" else "window"))
        for one in version.materials
        if one.required or one.code in modes
    )


def application(u: Unit, person_id: str, item_id: str = HOME, **changes: Any) -> cases.Application:
    """A complete application."""
    version = catalogue.published_version(u, item_id)
    told = {
        "person_id": person_id,
        "item_id": item_id,
        "form": FORM,
        "materials": materials(version),
        "delivery": "window",
        "channel": "wechat",
    }
    return cases.Application(**{**told, **changes})


def file_case(item_id: str = HOME, person_id: str | None = None, **changes: Any) -> tuple[str, str]:
    """File a case in a unit of its own; returns case id and person id."""

    def work(u: Unit) -> tuple[str, str]:
        who = person_id or make_citizen(u)
        receipt = cases.submit_case(u, application(u, who, item_id, **changes), citizen(who))
        return receipt.case_id, who

    return run_unit(work)


def calendar_file(folder: Path, year: int) -> Path:
    """A made-up holiday notice: the first three days of the year are off."""
    days = [{"date": f"{year}-01-0{n}", "kind": "off", "name": "元旦"} for n in (1, 2, 3)]
    file = folder / f"{year}.json"
    notice = {"year": year, "source": {"notice": "测试", "seen_at": "tests"}, "days": days}
    file.write_text(json.dumps(notice, ensure_ascii=False), "utf-8")
    return file
