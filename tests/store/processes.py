"""Other processes of the same town, as far as their vaults go: each knows only the keys it has read."""

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from backend.runtime.settings import settings
from backend.store import vault
from backend.store.vault import Masters


@contextmanager
def another_process(masters: Masters | None = None) -> Iterator[None]:
    """Inside, the vault is that of a process that has just started, with these keys from outside."""
    mine = vault._vault
    vault._vault = vault._Vault()
    vault.use_masters(masters or mine.masters or settings().keys.masters)
    try:
        yield
    finally:
        vault._vault = mine


def changed(**keys: bytes) -> Masters:
    """The town's keys with some of them changed."""
    return replace(settings().keys.masters, **keys)


def fresh_key() -> bytes:
    return os.urandom(32)


def as_file(masters: Masters) -> dict[str, object]:
    """The keys as a keys file holds them."""
    names = ("master", "index", "journal", "previous_master", "previous_index")
    held = {name: getattr(masters, name) for name in names}
    written = {name: base64.b64encode(key).decode() for name, key in held.items() if key}
    return {**written, "tokens": {"t1": "x" * 44}, "token_kid": "t1"}
