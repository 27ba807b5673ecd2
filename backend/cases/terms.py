"""Translates what a guide version promises into the terms the clocks count with."""

from backend import catalogue
from backend.cases.clocks import Term, Terms


def terms_of(version: catalogue.ItemVersion) -> Terms:
    """The terms of this guide version; a case keeps those it was filed under (BZ-34)."""
    policy = version.policy
    deemed = policy.deemed_acceptance_workdays
    return Terms(
        pre_review_hours=policy.pre_review_hours,
        pre_review_in_office_hours=policy.pre_review_unit == "working",
        deemed_acceptance=None if deemed is None else Term(deemed),
        correction=_term(policy.correction_term),
        promise=_term(policy.promise),
        legal=None if policy.legal is None else _term(policy.legal),
        extension_days=0 if policy.extension is None else policy.extension.days,
        delivery=_term(policy.delivery_within),
    )


def _term(term: catalogue.Term) -> Term:
    return Term(term.days, term.unit)
