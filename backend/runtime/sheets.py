"""What the readers of .xlsx files raise over a file that no clerk's program wrote, or that was damaged on its way."""

import lzma
import warnings
import zipfile
import zlib
from typing import Final
from xml.etree.ElementTree import ParseError

from openpyxl.utils.exceptions import InvalidFileException

BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    InvalidFileException,
    ParseError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    UserWarning,
)
"""An encrypted part is a RuntimeError, as is a method of packing that is not known; what defusedxml forbids is a
ValueError, and a part of another shape than expected any of the others."""

# openpyxl guesses the styles when theirs are none: such a file is as broken as any other. Said once and for the whole
# process, because warnings cannot be caught in one thread alone.
warnings.filterwarnings("error", message="Workbook contains no stylesheet", category=UserWarning)
