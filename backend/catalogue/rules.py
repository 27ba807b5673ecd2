"""Consistency rules of a record (STANDARDS §1.2, BZ-33): what must be right before citizens may see it.

A rule is a plain function that yields gaps; a record with gaps is kept as a draft and cannot be published.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from backend.catalogue.record import FeeRecord, ItemRecord
from backend.catalogue.vocabulary import (
    AREA_CODED,
    BY_MAIL,
    FULLY_ONLINE,
    IMMEDIATE,
    LICENCE,
    LICENCE_STEPS,
    PAPER,
    RESULT_KINDS,
    plain_ground,
)
from backend.catalogue.words import label, say


@dataclass(frozen=True, slots=True)
class Gap:
    """What a record lacks or where it contradicts itself: the field, the rule, and a sentence for the clerk."""

    field: str
    rule: str
    message: str


Rule = Callable[[ItemRecord], Iterator[Gap]]
REQUIRED: Final = (
    "accept_conditions", "steps", "notices", "contacts", "faq", "form", "themes", "online_depth",
)  # fmt: skip
REQUIRED_OF_MATERIALS: Final = ("basis", "format", "signature")


def gaps_of(record: ItemRecord, audiences: Mapping[str, tuple[str, ...]]) -> tuple[Gap, ...]:
    """All gaps of a record. `audiences` tells for each theme whom it addresses (个人, 法人)."""
    found = [gap for rule in RULES for gap in rule(record)]
    return (*found, *_themes(record, audiences))


def _gap(field: str, rule: str, **facts: object) -> Gap:
    return Gap(field, rule, say("findings", rule, **facts))


def _guide_is_whole(r: ItemRecord) -> Iterator[Gap]:
    if plain_ground(r.legal_basis) is None:
        yield _gap("legal_basis", "missing", label=label("legal_basis"))
    for field in REQUIRED:
        if not getattr(r, field):
            yield _gap(field, "missing", label=label(field))
    for place, material in enumerate(r.materials):
        for field in REQUIRED_OF_MATERIALS:
            if getattr(material, field) is None:
                told = say("findings", "material_missing", name=material.name, label=label(field))
                yield Gap(f"materials[{place}].{field}", "missing", told)


def _immediate(r: ItemRecord) -> Iterator[Gap]:
    if (r.project_type == IMMEDIATE) != (r.promise_days == 0):
        yield _gap("promise_days", "immediate_kind")


def _result(r: ItemRecord) -> Iterator[Gap]:
    for ending, kind in RESULT_KINDS:
        if r.result_name.endswith(ending):
            if r.result_kind != kind:
                yield _gap("result_kind", "result_kind", ending=ending, kind=kind)
            return


def _visits(r: ItemRecord) -> Iterator[Gap]:
    if r.visits and not r.visit_reason:
        yield _gap("visit_reason", "visit_reason_missing")
    if not r.visits and r.visit_reason:
        yield _gap("visit_reason", "visit_reason_needless")
    if not r.visits and not r.online_apply and not r.mail_materials:
        yield _gap("mail_materials", "zero_visit_mail")
    if (r.visits == 0) != (r.zero_run_mode is not None):
        yield _gap("zero_run_mode", "zero_run_mode")
    if r.visits and r.online_depth == FULLY_ONLINE:
        yield _gap("online_depth", "depth_visits")


def _negative_list(r: ItemRecord) -> Iterator[Gap]:
    if r.negative_list != bool(r.negative_list_reason):
        yield _gap("negative_list_reason", "negative_reason")
    if r.negative_list and r.visits == 0:
        yield _gap("negative_list", "negative_zero")


def _mail(r: ItemRecord) -> Iterator[Gap]:
    if r.zero_run_mode == BY_MAIL and not (r.mail_materials and r.mail_result):
        yield _gap("mail_result" if r.mail_materials else "mail_materials", "two_way_mail")
    if r.mail_materials and not any(PAPER in material.form for material in r.materials):
        yield _gap("materials", "nothing_to_mail")


def _fees(r: ItemRecord) -> Iterator[Gap]:
    if r.is_fee:
        yield from _charged(r)
    else:
        if r.pay_online:
            yield _gap("pay_online", "no_fee_pay_online")
        for place, fee in enumerate(r.fees):
            if fee.amount_fen:
                yield _gap(f"fees[{place}].amount_fen", "no_fee_amount", name=fee.name)
    for place, fee in enumerate(r.fees):
        if not _same_money(fee):
            yield _gap(f"fees[{place}].amount_fen", "fee_amounts", name=fee.name)


def _charged(r: ItemRecord) -> Iterator[Gap]:
    if not r.fees:
        yield _gap("fees", "fee_items")
    if not r.pay_online:
        yield _gap("pay_online", "fee_pay_online")
    for place, fee in enumerate(r.fees):
        if plain_ground(fee.basis) is None:
            yield _gap(f"fees[{place}].basis", "fee_basis", name=fee.name)
        if fee.condition and fee.amount_fen and not (fee.applies_when or fee.quantity):
            yield _gap(f"fees[{place}].applies_when", "fee_undecidable", name=fee.name)
        if not _speaks_of_the_form(r, fee):
            yield _gap(f"fees[{place}].applies_when", "fee_field", name=fee.name)


def _same_money(fee: FeeRecord) -> bool:
    if fee.amount_yuan is None or fee.amount_fen is None:
        return fee.amount_yuan is None and fee.amount_fen is None
    return Decimal(str(fee.amount_yuan)) * 100 == fee.amount_fen


def _speaks_of_the_form(r: ItemRecord, fee: FeeRecord) -> bool:
    """Whether every question that decides the price is one that is always asked and fits."""
    asked = {field.name: field for field in r.form.fields} if r.form else {}
    always = {name: field for name, field in asked.items() if field.required and field.visible_when is None}
    counted = always.get(fee.quantity.field) if fee.quantity else None
    if fee.quantity and (counted is None or counted.kind != "number" or counted.decimals):
        return False
    return all(
        name in always and set(values) <= {option.value for option in always[name].options}
        for name, values in (fee.applies_when or {}).items()
    )


def _contacts(r: ItemRecord) -> Iterator[Gap]:
    if r.contacts is None:
        return
    if r.contacts.consult_phone == r.contacts.complaint_phone:
        yield _gap("contacts.complaint_phone", "phones_same")
    for field in ("consult_phone", "complaint_phone"):
        if not AREA_CODED.fullmatch(getattr(r.contacts, field)):
            yield _gap(f"contacts.{field}", "phone_area_code")


def _licence_steps(r: ItemRecord) -> Iterator[Gap]:
    if r.item_type_code != LICENCE or r.steps is None:
        return
    told = "".join(step.name for step in r.steps)
    if len(r.steps) < len(LICENCE_STEPS) or any(name not in told for name in LICENCE_STEPS):
        yield _gap("steps", "licence_steps", names="、".join(LICENCE_STEPS))


def _booking(r: ItemRecord) -> Iterator[Gap]:
    if r.bookable != (r.booking is not None):
        yield _gap("booking", "booking_rules")
    if r.policy.served_by == "booking" and not r.bookable:
        yield _gap("bookable", "booking_served")


def _terms(r: ItemRecord) -> Iterator[Gap]:
    if len({r.legal_days is None, r.legal_unit is None}) > 1 or (
        r.legal_days is not None and not r.legal_basis
    ):
        yield _gap("legal_days", "legal_incomplete")
        return
    if r.legal_unit != r.promise_unit or r.legal_days is None:
        return
    if r.promise_days > r.legal_days:
        yield _gap("promise_days", "promise_longer")
    expected = round(1 - r.promise_days / r.legal_days, 4) if r.legal_days else 0.0
    if r.compress_ratio is not None and abs(r.compress_ratio - expected) > 0.0001:
        yield _gap("compress_ratio", "compress_ratio", expected=expected)


def _themes(r: ItemRecord, audiences: Mapping[str, tuple[str, ...]]) -> Iterator[Gap]:
    if not r.themes:
        return
    for theme in r.themes:
        if not set(r.targets) & set(audiences.get(theme, ())):
            yield _gap("themes", "foreign_theme", theme=theme)
    for target in r.targets:
        if not any(target in audiences.get(theme, ()) for theme in r.themes):
            yield _gap("themes", "target_theme", target=target)


RULES: Final[tuple[Rule, ...]] = (
    _guide_is_whole, _immediate, _result, _visits, _negative_list, _mail, _fees, _contacts, _licence_steps,
    _booking, _terms,
)  # fmt: skip
