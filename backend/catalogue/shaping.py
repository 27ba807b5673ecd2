"""From the stored content of a version to the frozen view that other houses hold."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from backend.catalogue.policy import Term, policy_of
from backend.catalogue.views import (
    Condition,
    Contacts,
    FeeRule,
    FormField,
    ItemCard,
    ItemVersion,
    Material,
    Option,
    Question,
    Result,
    Step,
)
from backend.catalogue.vocabulary import plain_ground

Content = Mapping[str, Any]


def shape_version(version_id: str, number: int, department_name: str, content: Content) -> ItemVersion:
    """The whole view of a version. Grounds are shown without the compilers' remarks."""
    c = content
    contacts = c.get("contacts")
    return ItemVersion(
        id=version_id,
        item_id=c["item_id"],
        number=number,
        name=c["name"],
        short_name=c["short_name"],
        item_type_code=c["item_type_code"],
        item_type=c["item_type"],
        department_id=c["dept_id"],
        department_name=department_name,
        service_targets=tuple(c["service_target"].split(",")),
        use_level=c["use_level"],
        handle_scope=c["handle_scope"],
        implement_code=c["implement_code_test"],
        handle_item_code=c["handle_item_code_test"],
        legal_basis=plain_ground(c.get("legal_basis")),
        accept_conditions=tuple(c.get("accept_conditions", ())),
        notices=tuple(c.get("notices", ())),
        staff_notes=c.get("notes"),
        visits=c["visits"],
        visit_reason=c.get("visit_reason"),
        zero_run_mode=c.get("zero_run_mode"),
        negative_list=c["negative_list"],
        online_depth=c.get("online_depth"),
        channels=tuple(c["channels"]),
        themes=tuple(c.get("themes", ())),
        region_ids=tuple(c.get("regions", ())),
        materials=_materials(c["materials"]),
        steps=tuple(_step(step) for step in c.get("steps", ())),
        contacts=_contacts(contacts) if contacts else None,
        faq=tuple(Question(**one) for one in c.get("faq", ())),
        form=tuple(_field(field) for field in c.get("form", {}).get("fields", ())),
        is_fee=c["is_fee"],
        fees=tuple(_fee(fee) for fee in c["fees"]),
        result=Result(c["result_name"], c["result_kind"], c.get("result_e_licence")),
        policy=policy_of(c),
        provenance=MappingProxyType(dict(c.get("provenance", {}))),
    )


def card_of(version: ItemVersion) -> ItemCard:
    """The version as one line of a list."""
    return ItemCard(
        item_id=version.item_id,
        version_id=version.id,
        name=version.name,
        short_name=version.short_name,
        item_type=version.item_type,
        department_id=version.department_id,
        department_name=version.department_name,
        service_targets=version.service_targets,
        themes=version.themes,
        served_by=version.policy.served_by,
        online_apply=version.policy.online_apply,
        bookable=version.policy.bookable,
        visits=version.visits,
        promise=version.policy.promise.says,
        is_fee=version.is_fee,
    )


def _materials(told: Sequence[Content]) -> tuple[Material, ...]:
    return tuple(
        Material(
            code=f"m{number}",
            name=one["name"],
            form=one["form"],
            source=one["source"],
            copies=one["copies"],
            required=one["required"],
            e_licence=one.get("e_licence"),
            basis=one.get("basis"),
            format=one.get("format"),
            signature=one.get("signature"),
            note=one.get("note"),
        )
        for number, one in enumerate(told, start=1)
    )


def _step(told: Content) -> Step:
    return Step(told["name"], told["office"], Term(told["days"], told["unit"]), told["says"])


def _contacts(told: Content) -> Contacts:
    rest = (told.get(field) for field in ("address", "hours", "remark"))
    return Contacts(told["consult_phone"], told["complaint_phone"], *rest)


def _field(told: Content) -> FormField:
    shown = told.get("visible_when")
    return FormField(
        name=told["name"],
        label=told["label"],
        kind=told["kind"],
        required=told["required"],
        min=told.get("min"),
        max=told.get("max"),
        decimals=told["decimals"],
        pattern=told.get("pattern"),
        options=tuple(Option(**option) for option in told["options"]),
        help=told.get("help"),
        private=told["private"],
        visible_when=Condition(shown["field"], tuple(shown["equals"])) if shown else None,
    )


def _fee(told: Content) -> FeeRule:
    quantity = told.get("quantity") or {}
    when = told.get("applies_when") or {}
    return FeeRule(
        name=told["name"],
        amount_fen=told.get("amount_fen"),
        unit=told["unit"],
        basis=plain_ground(told.get("basis")),
        condition=told.get("condition"),
        applies_when=MappingProxyType({field: tuple(values) for field, values in when.items()}),
        counted_by=quantity.get("field"),
        beyond=quantity.get("beyond", 0),
    )
