"""Access tokens that a platform gives to the whole town, not to a process: one row each, renewed by one at a time.

A storm of requests with a cold or stale token yields one renewal: whoever gets the lease lifts the telephone,
all others wait for the row to change. Times are real time.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import LargeBinary, String
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from backend.kernel import clock
from backend.runtime.outbound import Unreachable
from backend.store import rotation, vault
from backend.store.base import AwareDateTime, Base
from backend.store.unit import Unit, run_unit

LEASE = timedelta(seconds=15)
MARGIN = timedelta(seconds=60)
WAIT_S = 20.0
LOOK_EVERY_S = 0.1
_PLACE = rotation.sealed(
    "runtime_provider_token", "token", place="runtime_provider_token.token", key="name"
).place

Fetch = Callable[[bool], tuple[str, int]]
"""Lifts the telephone: (force a new one?) -> token and its life in seconds. Raises OutsideError."""


class ProviderToken(Base):
    """A platform's token, sealed, and who is fetching the next one."""

    __tablename__ = "runtime_provider_token"
    __retention__: ClassVar[str] = "until the next one; one row a platform"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    token: Mapped[bytes | None] = mapped_column(LargeBinary)
    good_until: Mapped[datetime | None] = mapped_column(AwareDateTime())
    lease_until: Mapped[datetime | None] = mapped_column(AwareDateTime())


class SharedToken:
    """One platform's token as this process sees it."""

    def __init__(self, name: str, fetch: Fetch) -> None:
        self._name, self._fetch = name, fetch
        self._lock = threading.Lock()
        self._held: tuple[str, datetime] | None = None

    def current(self) -> str:
        """A token that should still hold. No unit may be open. Raises OutsideError."""
        return self._other_than(None)

    def renewed(self, refused: str) -> str:
        """A token other than the one the platform has just refused. Raises OutsideError."""
        return self._other_than(refused)

    def _other_than(self, refused: str | None) -> str:
        with self._lock:
            if self._held is not None and self._held[0] != refused and self._held[1] > clock.wire_now():
                return self._held[0]
            self._held = self._wait_for_one(refused)
            return self._held[0]

    def _wait_for_one(self, refused: str | None) -> tuple[str, datetime]:
        give_up = clock.monotonic() + WAIT_S
        while clock.monotonic() < give_up:
            mine, found = run_unit(lambda u: self._look(u, refused))
            if found is not None:
                return found
            if mine:
                return self._bring(refused)
            clock.sleep(LOOK_EVERY_S)
        raise Unreachable(self._name, "no process brought a token")

    def _look(self, u: Unit, refused: str | None) -> tuple[bool, tuple[str, datetime] | None]:
        """What the row holds; or, with nobody fetching, take the lease: (is it mine to fetch, usable token)."""
        u.session.execute(insert(ProviderToken).values(name=self._name).on_conflict_do_nothing())
        row = u.get(ProviderToken, self._name, lock=True)
        assert row is not None
        now = clock.wire_now()
        if row.token is not None and row.good_until is not None and row.good_until - MARGIN > now:
            token = vault.open_sealed(_PLACE, self._name, row.token)
            if token != refused:
                return False, (token, row.good_until - MARGIN)
        if row.lease_until is not None and row.lease_until > now:
            return False, None
        row.lease_until = now + LEASE
        return True, None

    def _bring(self, refused: str | None) -> tuple[str, datetime]:
        try:
            token, seconds = self._fetch(False)
            if token == refused:
                # Platforms ration forced renewals: only when they insist on the token they refuse.
                token, seconds = self._fetch(True)
        except BaseException:
            run_unit(lambda u: self._write(u, None, None))
            raise
        good_until = clock.wire_now() + timedelta(seconds=seconds)
        run_unit(lambda u: self._write(u, token, good_until))
        return token, good_until - MARGIN

    def _write(self, u: Unit, token: str | None, good_until: datetime | None) -> None:
        row = u.get(ProviderToken, self._name, lock=True)
        assert row is not None
        row.lease_until = None
        if token is not None:
            row.token, row.good_until = vault.seal(_PLACE, self._name, token), good_until
