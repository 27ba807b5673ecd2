"""The life of an item version: drafted by an import, published when nothing is missing, then superseded."""

from backend.contracts import ItemPublished
from backend.kernel.machine import Machine, Move

DRAFT, PUBLISHED, SUPERSEDED, WITHDRAWN = "draft", "published", "superseded", "withdrawn"

VERSION = Machine(
    name="item version",
    start=DRAFT,
    moves=(
        Move(DRAFT, "published", PUBLISHED, "发布了办事指南", ItemPublished),
        Move(DRAFT, "superseded", SUPERSEDED, "草稿被新的草稿替换", why="nobody has seen the draft"),
        Move(
            PUBLISHED,
            "superseded",
            SUPERSEDED,
            "办事指南有了新版本",
            why="the new version's publication tells it",
        ),
        Move(PUBLISHED, "withdrawn", WITHDRAWN, "停止受理新申请", why="cases go on under their version"),
        Move(WITHDRAWN, "published", PUBLISHED, "恢复受理申请", ItemPublished),
        Move(
            WITHDRAWN,
            "superseded",
            SUPERSEDED,
            "办事指南有了新版本",
            why="the new version's publication tells it",
        ),
    ),
    says={DRAFT: "草稿", PUBLISHED: "已发布", SUPERSEDED: "已更新", WITHDRAWN: "已停办"},
    terminal=frozenset({SUPERSEDED}),
)
