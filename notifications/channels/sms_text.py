"""What a short message may hold, and what it costs (STANDARDS §10)."""

import re

SINGLE, PART, LONGEST = 70, 67, 500
LONGEST_VALUE = 35
_LINK = re.compile(r"https?://\S*", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def signed(sign_name: str, text: str) -> str:
    """The message as it arrives: the registered signature stands in front."""
    return f"【{sign_name}】{text}"


def parts(text: str) -> int:
    """How many messages a signed text is billed as: 70 characters fit one, longer ones go in parts of 67."""
    return 1 if len(text) <= SINGLE else -(-len(text) // PART)


def value(text: str) -> str:
    """A variable's value as the platform takes it: one line, no brackets, no link, at most 35 characters."""
    plain = _LINK.sub("", text).replace("【", "(").replace("】", ")")
    return shortened(_SPACE.sub(" ", plain).strip(), LONGEST_VALUE)


def shortened(text: str, most: int) -> str:
    """At most so many characters; what was cut off shows as an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"
