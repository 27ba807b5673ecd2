"""What a case of a version costs, computed from its answers; prices are data and never written into code."""

from collections.abc import Mapping, Sequence

from backend.catalogue.views import FeeLine, FeeRule, ItemVersion
from backend.catalogue.words import say
from backend.kernel.problems import FieldError, InvalidInput


def fees_for(version: ItemVersion, answers: Mapping[str, str | int]) -> tuple[FeeLine, ...]:
    """Lines that are due, in the order of the guide; totals in fen, None where a bill sets the amount.

    `answers` are those of `validate_form`. Raises InvalidInput when a price hangs on a question left open.
    """
    if not version.is_fee:
        return ()
    rules = [rule for rule in version.fees if rule.amount_fen != 0 and _applies(version, rule, answers)]
    lines = [_line(rule, _quantity(version, rule, answers)) for rule in rules]
    return tuple(line for line in lines if line.quantity)


def fee_total_fen(lines: Sequence[FeeLine]) -> int | None:
    """Sum of the lines in fen; None when one of them is set per bill."""
    amounts = [line.amount_fen for line in lines]
    return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def _line(rule: FeeRule, quantity: int) -> FeeLine:
    total = None if rule.amount_fen is None else rule.amount_fen * quantity
    return FeeLine(rule.name, total, rule.basis, rule.unit, quantity)


def _applies(version: ItemVersion, rule: FeeRule, answers: Mapping[str, str | int]) -> bool:
    return all(str(_said(version, field, answers)) in values for field, values in rule.applies_when.items())


def _quantity(version: ItemVersion, rule: FeeRule, answers: Mapping[str, str | int]) -> int:
    if rule.counted_by is None:
        return 1
    return max(0, int(_said(version, rule.counted_by, answers)) - rule.beyond)


def _said(version: ItemVersion, field: str, answers: Mapping[str, str | int]) -> str | int:
    if field not in answers:
        label = next((known.label for known in version.form if known.name == field), field)
        raise InvalidInput(errors=[FieldError(field=field, message=say("form", "required", label=label))])
    return answers[field]
