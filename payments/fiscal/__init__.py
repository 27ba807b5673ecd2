"""The telephone to the receipt system (财政电子票据): one port, one line, and which one is asked."""

from functools import lru_cache

from backend.runtime import settings
from payments.fiscal.http_office import HttpOffice
from payments.fiscal.port import FiscalOffice

__all__ = ["FiscalOffice", "office"]


@lru_cache(maxsize=4)
def _office(account: settings.Fiscal) -> FiscalOffice:
    return HttpOffice(account)


def office() -> FiscalOffice:
    """The configured receipt system."""
    return _office(settings.settings().fiscal)
