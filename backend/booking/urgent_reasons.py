"""Why somebody may come out of hours (HN-06)."""

from typing import Final

URGENT_REASONS: Final = {
    "medical": "就医急需",
    "exam": "升学、考试急需",
    "travel": "紧急出境、奔丧",
    "work": "招投标、签约急需",
    "disability": "重病、残疾等行动不便",
}
