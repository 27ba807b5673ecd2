"""Files at the departments' desk: papers taken in at the window, results, and a look at what citizens sent."""

from backend import cases
from backend.runtime.surface import Surface


def register(surface: Surface) -> None:
    """Open the window for files on the departments' surface."""
    cases.open_files_window(surface)
