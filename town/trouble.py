"""Trouble is told in one sentence that names the way out; nobody in this town shows a stack trace for it."""

from __future__ import annotations

import sys
from collections.abc import Callable


class Trouble(Exception):
    """Something a person can put right: the message says what and how."""


def told(main: Callable[[], int]) -> int:
    """Run `main` and turn Trouble into one line on stderr and exit code 1, Ctrl-C into 130."""
    try:
        return main()
    except Trouble as trouble:
        print(f"zhangban: {trouble}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 130
