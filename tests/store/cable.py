"""The cable between us and PostgreSQL, to be cut at a chosen moment."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Cable:
    """Carries bytes both ways. `cut_after` holds words that our side may still send, and never hear about."""

    port: int
    cut_after: list[bytes] = field(default_factory=list)
    cuts: int = 0

    def passes(self, data: bytes) -> bool:
        """Whether the connection outlives these bytes of ours; each word cuts once."""
        for word in self.cut_after:
            if word in data:
                self.cut_after.remove(word)
                self.cuts += 1
                return False
        return True


@contextmanager
def cable_to(url: str) -> Iterator[tuple[Cable, str]]:
    """A cable to the database of this URL, and the URL of its near end."""
    far = urlsplit(url)
    door = socket.create_server(("127.0.0.1", 0))
    cable = Cable(door.getsockname()[1])
    threading.Thread(target=_carry_all, args=(door, cable, int(far.port or 0)), daemon=True).start()
    try:
        yield cable, url.replace(f":{far.port}/", f":{cable.port}/")
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


def _carry_all(door: socket.socket, cable: Cable, port: int) -> None:
    while True:
        try:
            near, _ = door.accept()
        except OSError:
            return
        far = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=_carry, args=(near, far, cable), daemon=True).start()
        threading.Thread(target=_carry, args=(far, near, None), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, cable: Cable | None) -> None:
    try:
        while data := source.recv(65536):
            if cable is not None and not cable.passes(data):
                source.shutdown(socket.SHUT_RDWR)  # our side learns nothing more ...
                target.sendall(data)
                time.sleep(0.2)  # ... while the server does what it was told
                break
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        end.close()
