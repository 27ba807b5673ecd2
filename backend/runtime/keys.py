"""The town's outside keys: where they are written, what they must be, and those of play that everybody knows."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.store.vault import Masters


class BadSettings(RuntimeError):
    """The town cannot open with this environment; the message lists everything that is wrong."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Outside keys: masters of the vault, and the secrets that sign access tokens (newest first)."""

    masters: Masters
    tokens: Mapping[str, str]
    token_kid: str


def read_keys(keys_file: Path | None) -> Keys:
    """The keys of a file, or those of play. Raises BadSettings."""
    if keys_file is None:
        return play_keys()
    try:
        document = json.loads(keys_file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadSettings("TOWN_KEYS_FILE names a file that is not there") from error
    except (OSError, ValueError) as error:
        raise BadSettings(f"TOWN_KEYS_FILE cannot be read: {error}") from error
    return keys_from(document)


def keys_from(document: Mapping[str, object]) -> Keys:
    """Read the keys file: {"master","index","journal": base64 of 32 bytes, "tokens": {kid: secret}, "token_kid"}."""
    try:
        raw = {name: base64.b64decode(str(document[name])) for name in ("master", "index", "journal")}
        old = {
            name: base64.b64decode(str(document[name])) if document.get(name) else None
            for name in ("previous_master", "previous_index")
        }
        tokens = {str(k): str(v) for k, v in dict(document["tokens"]).items()}  # type: ignore[call-overload]
        kid = str(document["token_kid"])
    except (KeyError, ValueError, TypeError) as error:
        raise BadSettings(f"the keys file is not complete: {error}") from error
    short = [n for n, key in {**raw, **{n: k for n, k in old.items() if k}}.items() if len(key) != 32]
    if short or kid not in tokens or any(len(secret) < 32 for secret in tokens.values()):
        raise BadSettings(
            "the keys file holds a key of the wrong length or names a token key it does not have"
        )
    return Keys(
        Masters(raw["master"], raw["index"], raw["journal"], old["previous_master"], old["previous_index"]),
        tokens,
        kid,
    )


def new_keys_document() -> dict[str, object]:
    """Fresh keys for a new town."""

    def fresh() -> str:
        return base64.b64encode(os.urandom(32)).decode()

    return {
        "master": fresh(),
        "index": fresh(),
        "journal": fresh(),
        "tokens": {"t1": fresh()},
        "token_kid": "t1",
    }


def play_keys() -> Keys:
    """Keys that everybody knows: they let `import wsgi` and a bare development server work, nothing else."""

    def known(name: str) -> bytes:
        return hashlib.sha256(b"zhangban play key " + name.encode()).digest()

    masters = Masters(known("master"), known("index"), known("journal"))
    return Keys(masters, {"play": known("tokens").hex()}, "play")
