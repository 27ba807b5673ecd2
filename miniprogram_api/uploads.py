"""Story: I photograph a document or pick a PDF, and look at it again through a link that soon ends."""

from backend import cases
from backend.runtime.surface import Surface


def register(surface: Surface) -> None:
    """Open the window for files on the citizens' surface."""
    cases.open_files_window(surface)
