"""`make check`: everything that can be said about the code without running the town."""

from __future__ import annotations

import subprocess
import sys
import time

from town import bootstrap, places
from town.trouble import told

TYPED = (
    "backend", "payments", "courier", "notifications", "miniprogram_api", "simulators", "town", "benchmarks", "demo",
    "wsgi.py",
)  # fmt: skip
_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKS = {
    "style (ruff check)": ("-m", "ruff", "check", "."),
    "layout (ruff format)": ("-m", "ruff", "format", "--check", "."),
    "types (mypy --strict)": ("-m", "mypy", *TYPED),
    "floors (import-linter)": ("-c", _LINT_IMPORTS),
    "guards (pytest tests/guards)": ("-m", "pytest", "-q", "tests/guards"),
}


def main() -> int:
    """Run all checks, the later ones too when one fails, and return 1 if any did."""
    bootstrap.inside("town.check", development=True)
    failed = [name for name, words in CHECKS.items() if not _passes(name, words)]
    print("zhangban: " + (f"failed: {', '.join(failed)}" if failed else "all checks passed"), flush=True)
    return 1 if failed else 0


def _passes(name: str, words: tuple[str, ...]) -> bool:
    print(f"zhangban: {name} ...", flush=True)
    begun = time.monotonic()
    answer = subprocess.run([sys.executable, *words], cwd=places.CHECKOUT, check=False)
    verdict = "passed" if answer.returncode == 0 else "FAILED"
    print(f"zhangban: {name} {verdict} in {time.monotonic() - begun:.1f} s", flush=True)
    return answer.returncode == 0


if __name__ == "__main__":
    sys.exit(told(main))
