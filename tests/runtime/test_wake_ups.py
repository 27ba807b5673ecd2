"""The folder broker: a wake-up is there as a whole or not at all."""

from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from backend.runtime import worker


def test_a_half_written_wake_up_is_never_fetched(tmp_path: Path) -> None:
    with Connection("filesystem://", transport_options=worker._transport("", tmp_path)) as connection:
        channel = connection.channel()
        with pytest.raises(TypeError):
            channel._put("relay", {"cannot be written": object()})
        with pytest.raises(Empty):
            channel._get("relay")
        channel._put("relay", {"chore": "relay.deliver"})
        assert channel._get("relay") == {"chore": "relay.deliver"}
