"""What the register needs of any identity authority, and which one is asked."""

import functools
from collections.abc import Callable
from typing import Protocol

from backend.people.identity.http_authority import HttpAuthority
from backend.runtime.settings import settings


class Authority(Protocol):
    """Knows who is who."""

    def matches(self, name: str, id_no: str) -> bool:
        """Whether name and number belong to one person. An outside call: no unit may be open.

        Raises an OutsideError when the authority did not say (which is neither yes nor no).
        """


@functools.cache
def _configured() -> Authority:
    return HttpAuthority(settings().identity)


_chosen: list[Callable[[], Authority]] = [_configured]


def use_authority(maker: Callable[[], Authority]) -> None:
    """Ask another authority than the configured one."""
    _chosen[:] = [maker]


def authority() -> Authority:
    return _chosen[0]()
