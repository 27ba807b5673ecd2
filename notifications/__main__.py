"""Draws the template file from the wording: `python -m notifications data/templates.json`."""

import sys
from pathlib import Path

from notifications import drawing

Path(sys.argv[1]).write_text(drawing.text(), "utf-8")
