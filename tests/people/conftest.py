"""The register's corner of the open town, and a letterbox for the codes that would go out as short messages."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Letterbox:
    """The codes that were to be sent."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def read(self, phone: str, purpose: str) -> str:
        return next(code for to, code, why in reversed(self.sent) if (to, why) == (phone, purpose))


@pytest.fixture(scope="session")
def corner(town: Any) -> Any:
    """The town, its telephones taken up anew."""
    from backend.people.identity import port
    from backend.runtime import alipay_client, wechat_client

    for remembered in (port._configured, alipay_client.shared, wechat_client.shared):
        remembered.cache_clear()
    return town


@pytest.fixture
def letters(database: str) -> Iterator[Letterbox]:
    """Codes come here instead of to the queue of messages."""
    from backend import people
    from backend.people.services import codes

    before, box = list(codes._sender), Letterbox()
    people.use_code_sender(lambda u, phone, code, purpose: box.sent.append((phone, code, purpose)))
    yield box
    codes._sender[:] = before


@pytest.fixture(autouse=True)
def _fair_weather(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "corner" in request.fixturenames:
        request.getfixturevalue("corner").control("/faults", method="DELETE")
