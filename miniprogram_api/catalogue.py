"""What citizens read before they apply: lists, guides, forms and prices. Public, and only what is in force (SH-09).

The synthetic codes of the test data and the compilers' notes stay inside.
"""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from backend import catalogue
from backend.kernel import money
from backend.runtime.surface import Call, Page, Query, Surface
from backend.store.unit import unit

Code = Annotated[str, Field(min_length=1, max_length=40)]


class ItemQuery(Query):
    """Words, theme, department and district narrow the list; all of them are optional."""

    text: Annotated[str, Field(max_length=60)] = ""
    theme: Code | None = None
    department: Code | None = None
    region: Code | None = None
    cursor: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in days: WD working, ND calendar; `says` is what the citizen reads."""

    days: int
    unit: str
    says: str


@dataclass(frozen=True, slots=True)
class StepView:
    name: str
    office: str
    limit: Limit
    says: str


@dataclass(frozen=True, slots=True)
class FeeView:
    """A price. Without an amount it is set per bill. `applies_when`: answers of the form that make it due."""

    name: str
    amount_fen: int | None
    amount_yuan: str | None
    unit: str
    basis: str | None
    condition: str | None
    applies_when: dict[str, tuple[str, ...]]
    counted_by: str | None
    beyond: int


@dataclass(frozen=True, slots=True)
class FeeTable:
    is_fee: bool
    can_pay_online: bool
    fees: tuple[FeeView, ...]


@dataclass(frozen=True, slots=True)
class FormView:
    """The questions of an item, in order: a screen is built from them alone. Send `item_id` with the answers."""

    item_id: str
    version_id: str
    fields: tuple[catalogue.FormField, ...]
    materials: tuple[catalogue.Material, ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """How the item is applied for, visited, posted and received."""

    served_by: str
    online_apply: bool
    mail_in: bool
    deliveries: tuple[str, ...]
    visits: int
    visit_reason: str | None
    bookable: bool
    booking: catalogue.BookingRule | None
    booking_after: str | None
    pre_review_hours: int | None
    pre_review_unit: str


@dataclass(frozen=True, slots=True)
class Guide:
    """What a guide must hold (BZ-33): 依据条件、流程时限、收费标准、注意事项、联系方式."""

    item_id: str
    version_id: str
    number: int
    name: str
    short_name: str
    item_type: str
    department_id: str
    department_name: str
    service_targets: tuple[str, ...]
    handle_scope: str
    legal_basis: str | None
    accept_conditions: tuple[str, ...]
    promise: Limit
    legal: Limit | None
    correction: Limit
    delivery: Limit
    steps: tuple[StepView, ...]
    materials: tuple[catalogue.Material, ...]
    prices: FeeTable
    notices: tuple[str, ...]
    contacts: catalogue.Contacts | None
    faq: tuple[catalogue.Question, ...]
    ways: Ways
    special_procedures: tuple[str, ...]
    result: catalogue.Result
    ours: tuple[str, ...]


ABSENT = (catalogue.ItemUnknown, catalogue.ItemNotPublished)


def register(surface: Surface) -> None:
    """Put this story into the citizens' window."""
    public = "public"
    unknown = (catalogue.RegionUnknown,)
    surface.get(
        "/items", audience=public, query=ItemQuery, answers=Page[catalogue.ItemCard], problems=unknown
    )(items)
    surface.get("/items/<item_id>", audience=public, answers=Guide, problems=ABSENT)(guide)
    surface.get("/items/<item_id>/form", audience=public, answers=FormView, problems=ABSENT)(form)
    surface.get("/items/<item_id>/fees", audience=public, answers=FeeTable, problems=ABSENT)(fees)
    surface.get(
        "/items/<item_id>/versions/<int:number>",
        audience=public,
        answers=Guide,
        problems=(catalogue.ItemUnknown,),
    )(former_guide)
    surface.get("/themes", audience=public, answers=tuple[catalogue.Theme, ...])(themes)
    surface.get("/departments", audience=public, answers=tuple[catalogue.Department, ...])(departments)
    surface.get("/regions", audience=public, answers=tuple[catalogue.Region, ...])(regions)


def items(call: Call[None]) -> Page[catalogue.ItemCard]:
    """可办理的事项：按名称、主题、部门、区县查找"""
    asked: ItemQuery = call.query
    with unit() as u:
        return catalogue.search_items(
            u, text=asked.text, theme=asked.theme, department_id=asked.department, region_id=asked.region,
            cursor=asked.cursor, limit=asked.limit,
        )  # fmt: skip


def guide(call: Call[None], item_id: str) -> Guide:
    """办事指南"""
    with unit() as u:
        return _guide(catalogue.published_version(u, item_id))


def former_guide(call: Call[None], item_id: str, number: int) -> Guide:
    """某一版办事指南：办件适用提交时的版本"""
    with unit() as u:
        return _guide(catalogue.version_once_published(u, item_id, number))


def form(call: Call[None], item_id: str) -> FormView:
    """申请表单和材料清单"""
    with unit() as u:
        version = catalogue.published_version(u, item_id)
    return FormView(item_id, version.id, version.form, version.materials)


def fees(call: Call[None], item_id: str) -> FeeTable:
    """收费标准"""
    with unit() as u:
        return _prices(catalogue.published_version(u, item_id))


def themes(call: Call[None]) -> tuple[catalogue.Theme, ...]:
    """事项主题"""
    return catalogue.themes()


def departments(call: Call[None]) -> tuple[catalogue.Department, ...]:
    """办理部门"""
    with unit() as u:
        return catalogue.departments(u)


def regions(call: Call[None]) -> tuple[catalogue.Region, ...]:
    """区县和功能区"""
    with unit() as u:
        return catalogue.regions(u)


def _guide(version: catalogue.ItemVersion) -> Guide:
    policy = version.policy
    return Guide(
        item_id=version.item_id,
        version_id=version.id,
        number=version.number,
        name=version.name,
        short_name=version.short_name,
        item_type=version.item_type,
        department_id=version.department_id,
        department_name=version.department_name,
        service_targets=version.service_targets,
        handle_scope=version.handle_scope,
        legal_basis=version.legal_basis,
        accept_conditions=version.accept_conditions,
        promise=_limit(policy.promise),
        legal=_limit(policy.legal) if policy.legal else None,
        correction=_limit(policy.correction_term),
        delivery=_limit(policy.delivery_within),
        steps=tuple(
            StepView(step.name, step.office, _limit(step.limit), step.says) for step in version.steps
        ),
        materials=version.materials,
        prices=_prices(version),
        notices=version.notices,
        contacts=version.contacts,
        faq=version.faq,
        ways=_ways(version),
        special_procedures=policy.special_procedures,
        result=version.result,
        ours=tuple(sorted(version.provenance)),
    )


def _ways(version: catalogue.ItemVersion) -> Ways:
    policy = version.policy
    return Ways(
        served_by=policy.served_by,
        online_apply=policy.online_apply,
        mail_in=policy.mail_in,
        deliveries=policy.deliveries,
        visits=version.visits,
        visit_reason=version.visit_reason,
        bookable=policy.bookable,
        booking=policy.booking,
        booking_after=policy.booking_after,
        pre_review_hours=policy.pre_review_hours,
        pre_review_unit=policy.pre_review_unit,
    )


def _prices(version: catalogue.ItemVersion) -> FeeTable:
    return FeeTable(version.is_fee, version.policy.can_pay_online, tuple(_fee(rule) for rule in version.fees))


def _fee(rule: catalogue.FeeRule) -> FeeView:
    return FeeView(
        name=rule.name,
        amount_fen=rule.amount_fen,
        amount_yuan=None if rule.amount_fen is None else money.yuan(rule.amount_fen),
        unit=rule.unit,
        basis=rule.basis,
        condition=rule.condition,
        applies_when=dict(rule.applies_when),
        counted_by=rule.counted_by,
        beyond=rule.beyond,
    )


def _limit(term: catalogue.Term) -> Limit:
    return Limit(term.days, term.unit, term.says)
