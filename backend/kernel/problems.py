"""Everything that can be refused, as one tree; houses hang their own conditions into it.

    Problem
    ├── MalformedRequest     400  cannot be read
    │   └── KeyMissing       400  no Idempotency-Key
    ├── Unauthenticated      401  nobody is signed in
    │   └── SessionEnded     401  somebody was
    ├── Forbidden            403  not for this role
    ├── NotFound             404  not there
    │   └── NotYours         404  somebody else's, looks exactly as absent
    ├── MethodNotAllowed     405
    ├── Conflict             409  the world has changed meanwhile
    │   ├── ImpossibleMove   409  not from this state
    │   └── StillInProgress  409  the same request is being worked on
    ├── PreconditionFailed   412  seen version is not the current one
    ├── TooLarge             413
    ├── UnsupportedMedia     415
    ├── InvalidInput         422  errors: [{field, message}]
    ├── KeyReused            422  Idempotency-Key known with another body
    ├── TooMany              429  retry_after
    ├── ServerTrouble        500
    ├── ChannelRefused       502  a provider said no
    │   └── ChannelRefusedInput  422  ... because of what the person entered
    └── ChannelSilent        503  a provider did not answer: neither yes nor no

Titles are for citizens: plain Chinese that says what to do next. Translated to RFC 9457 in one place.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypedDict

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EVERYWHERE = frozenset({"errors", "retry_after"})
"""Extras that any problem may have."""
_OWN_MEMBERS = frozenset({"type", "title", "status", "detail", "instance"})


def members(**declared: Any) -> Mapping[str, Any]:
    """What a kind of problem tells beside its sentences: names and types, as `Problem.extras`."""
    return declared


class FieldError(TypedDict):
    """One wrong field: its path in the request, and what to write instead."""

    field: str
    message: str


class Problem(Exception):
    """A condition that is told to the caller; subclasses declare slug, status and title.

    `detail` says more about this one occurrence, in Chinese; `extra` become members of the answer. `extras` declares
    them by name and type, for the documents; a subclass has its parent's as well. Every one of them may be left out.
    A subclass without a slug of its own looks exactly like its parent from outside.
    """

    slug: ClassVar[str] = ""
    status: ClassVar[int] = 500
    title: ClassVar[str] = ""
    extras: ClassVar[Mapping[str, Any]] = {}
    _known: ClassVar[dict[str, type["Problem"]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.extras = {
            name: kind for one in reversed(cls.__mro__) for name, kind in vars(one).get("extras", {}).items()
        }
        if not _SLUG.fullmatch(cls.slug) or not 400 <= cls.status <= 599 or not cls.title:
            raise TypeError(f"{cls.__qualname__} needs a slug (a-z and dashes), a status and a title")
        if "slug" in cls.__dict__ and not _is_same(Problem._known.setdefault(cls.slug, cls), cls):
            raise TypeError(f"slug {cls.slug!r} of {cls.__qualname__} is already taken")

    def __init__(self, detail: str | None = None, **extra: object) -> None:
        if _OWN_MEMBERS & extra.keys():
            raise TypeError("type, title, status and instance cannot be given as extras")
        super().__init__(self.slug if detail is None else f"{self.slug}: {detail}")
        self.detail = detail
        self.extra = extra

    @property
    def undeclared(self) -> set[str]:
        """Extras of this one occurrence that its kind does not declare."""
        return self.extra.keys() - self.extras.keys() - _EVERYWHERE

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait before asking again, when known."""
        seconds = self.extra.get("retry_after")
        return seconds if isinstance(seconds, int) else None

    def as_dict(self, instance: str) -> dict[str, object]:
        """Members of application/problem+json (RFC 9457); `instance` names this occurrence."""
        told: dict[str, object] = {
            "type": f"urn:zhangban:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "instance": instance,
            **self.extra,
        }
        if self.detail is not None:
            told["detail"] = self.detail
        return told

    @classmethod
    def all(cls) -> list[type["Problem"]]:
        """Every kind of problem defined so far at or below this one, by slug."""
        return [kind for _, kind in sorted(Problem._known.items()) if issubclass(kind, cls)]


def _is_same(known: type[Problem], defined: type[Problem]) -> bool:
    """A module loaded twice defines its problems twice; that is no clash."""
    return (known.__module__, known.__qualname__) == (defined.__module__, defined.__qualname__)


class MalformedRequest(Problem):
    """The request cannot be read at all."""

    slug = "malformed-request"
    status = 400
    title = "提交的内容无法识别，请刷新页面后重新填写。"


class KeyMissing(MalformedRequest):
    """A writing request without a usable Idempotency-Key."""

    slug = "idempotency-key-missing"
    title = "请求缺少防重复编号，请更新到最新版本后再试。"


class Unauthenticated(Problem):
    """Nobody is signed in."""

    slug = "unauthenticated"
    status = 401
    title = "您还没有登录，请登录后继续。"


class SessionEnded(Unauthenticated):
    """Somebody was signed in, but no longer."""

    slug = "session-ended"
    title = "登录已失效，请重新登录。"


class Forbidden(Problem):
    """Signed in, but this is not for this role."""

    slug = "forbidden"
    status = 403
    title = "您没有办理这项操作的权限，如有需要请联系管理员。"


class NotFound(Problem):
    """The thing is not there."""

    slug = "not-found"
    status = 404
    title = "没有找到您要的内容，请核对后重新查询。"


class NotYours(NotFound):
    """Somebody else's: answered exactly as if it did not exist, so that nobody can search for it."""


class MethodNotAllowed(Problem):
    """The address exists, the method does not."""

    slug = "method-not-allowed"
    status = 405
    title = "不支持这种操作方式，请更新到最新版本后再试。"


class Conflict(Problem):
    """The world has changed since the caller looked."""

    slug = "conflict"
    status = 409
    title = "内容刚刚有了变化，请刷新后再操作。"


class ImpossibleMove(Conflict):
    """The thing is in a state from which this step does not lead anywhere."""

    slug = "impossible-move"
    extras = members(state=str, trigger=str)
    title = "当前状态不能进行这一步，请刷新后查看最新进度。"


class StillInProgress(Conflict):
    """The same request (same Idempotency-Key) is being worked on."""

    slug = "still-in-progress"
    title = "上一次提交正在处理，请稍候，不要重复提交。"


class PreconditionFailed(Problem):
    """The version the caller has seen is not the current one."""

    slug = "precondition-failed"
    status = 412
    title = "您看到的内容已不是最新，请刷新后再修改。"


class TooLarge(Problem):
    """More bytes than are accepted here."""

    slug = "too-large"
    status = 413
    title = "文件或内容太大，请压缩或分开后再提交。"


class UnsupportedMedia(Problem):
    """A media type that is not accepted here."""

    slug = "unsupported-media"
    status = 415
    title = "不支持这种文件格式，请换成页面上列出的格式。"


class InvalidInput(Problem):
    """Readable, but some fields are wrong; `errors` lists them all at once."""

    slug = "invalid-input"
    status = 422
    title = "有内容填写不正确，请按提示修改后重新提交。"

    def __init__(
        self, detail: str | None = None, *, errors: Sequence[FieldError] = (), **extra: object
    ) -> None:
        self.errors = list(errors)
        super().__init__(detail, errors=self.errors, **extra)


class KeyReused(Problem):
    """The Idempotency-Key is known with another body."""

    slug = "idempotency-key-reused"
    status = 422
    title = "提交编号已用于其他内容，请返回页面重新提交。"


class TooMany(Problem):
    """Too many requests; `retry_after` says in how many seconds to come back."""

    slug = "too-many-requests"
    status = 429
    title = "操作太频繁，请稍后再试。"

    def __init__(self, detail: str | None = None, *, retry_after: int = 60, **extra: object) -> None:
        super().__init__(detail, retry_after=retry_after, **extra)


class ServerTrouble(Problem):
    """Our own fault."""

    slug = "server-trouble"
    status = 500
    title = "系统出了问题，请稍后再试；如仍不行，请拨打 12345。"


class ChannelRefused(Problem):
    """A provider answered no, and will again."""

    slug = "channel-refused"
    extras = members(code=str)
    status = 502
    title = "合作服务方没有受理，请换一种方式或稍后再试。"


class ChannelRefusedInput(ChannelRefused):
    """A provider answered no because of what the person entered."""

    slug = "channel-refused-input"
    status = 422
    title = "合作服务方没有通过您填写的内容，请核对后重新提交。"


class ChannelSilent(Problem):
    """A provider did not answer; whether it acted is unknown, so nothing is promised either way."""

    slug = "channel-silent"
    status = 503
    title = "合作服务方暂时没有回应，请稍后再试；付款等已提交的操作请先查看结果。"
