import re

import pytest

from backend.kernel import problems
from backend.kernel.problems import InvalidInput, NotFound, NotYours, Problem, TooMany

KERNEL = [kind for kind in Problem.all() if kind.__module__ == problems.__name__]
STATUS = {
    "MalformedRequest": 400,
    "KeyMissing": 400,
    "Unauthenticated": 401,
    "SessionEnded": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "Conflict": 409,
    "ImpossibleMove": 409,
    "StillInProgress": 409,
    "PreconditionFailed": 412,
    "TooLarge": 413,
    "UnsupportedMedia": 415,
    "InvalidInput": 422,
    "KeyReused": 422,
    "TooMany": 429,
    "ServerTrouble": 500,
    "ChannelRefused": 502,
    "ChannelRefusedInput": 422,
    "ChannelSilent": 503,
}


def test_every_problem_answers_with_its_status() -> None:
    assert {kind.__name__: kind.status for kind in KERNEL} == STATUS


def test_the_drawing_shows_every_problem() -> None:
    drawn = re.findall(r"── (\w+)\s+(\d{3})", problems.__doc__ or "")
    assert dict(drawn) == {name: str(status) for name, status in {**STATUS, "NotYours": 404}.items()}


@pytest.mark.parametrize("kind", KERNEL, ids=lambda kind: kind.slug)
def test_a_title_is_a_chinese_sentence(kind: type[Problem]) -> None:
    assert re.fullmatch(r"[\u4e00-\u9fff0-9 ，；]+。", kind.title)
    assert 8 <= len(kind.title) <= 40


def test_a_problem_is_told_as_rfc_9457_says() -> None:
    assert NotFound("没有这个办件。", case_number="BZ1").as_dict("req-7") == {
        "type": "urn:zhangban:problem:not-found",
        "title": NotFound.title,
        "status": 404,
        "detail": "没有这个办件。",
        "instance": "req-7",
        "case_number": "BZ1",
    }


def test_a_problem_without_detail_says_none() -> None:
    assert "detail" not in NotFound().as_dict("req-7")


def test_what_belongs_to_others_looks_absent() -> None:
    assert NotYours().as_dict("req-7") == NotFound().as_dict("req-7")
    assert NotYours not in Problem.all()


def test_wrong_fields_are_listed_all_at_once() -> None:
    wrong = InvalidInput(
        errors=[{"field": "phone", "message": "请填手机号"}, {"field": "name", "message": "请填姓名"}]
    )
    assert wrong.as_dict("req-7")["errors"] == wrong.errors
    assert len(wrong.errors) == 2


def test_too_many_requests_says_when_to_return() -> None:
    refused = TooMany(retry_after=30)
    assert refused.retry_after == refused.as_dict("req-7")["retry_after"] == 30
    assert problems.ChannelSilent(retry_after=5).retry_after == 5
    assert NotFound().retry_after is None


@pytest.mark.parametrize("member", ["type", "title", "status", "instance"])
def test_extras_cannot_forge_the_answer(member: str) -> None:
    with pytest.raises(TypeError, match="extras"):
        NotFound(None, **{member: "x"})


def test_two_problems_cannot_share_a_slug() -> None:
    with pytest.raises(TypeError, match="already taken"):
        type("SlotGone", (NotFound,), {"slug": "conflict", "__module__": __name__})
    assert all(kind.__name__ != "SlotGone" for kind in Problem.all())


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"slug": "Slot Gone", "title": "请"},
        {"slug": "slot-gone"},
        {"slug": "slot-gone", "title": "请", "status": 200},
    ],
)
def test_an_incomplete_problem_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="needs a slug"):
        type("SlotGone", (Problem,), members)


def test_the_kinds_can_be_walked_by_branch() -> None:
    assert {kind.slug for kind in problems.Conflict.all()} >= {
        "conflict",
        "impossible-move",
        "still-in-progress",
    }
    assert NotFound not in problems.Conflict.all()
    assert [kind.slug for kind in KERNEL] == sorted(kind.slug for kind in KERNEL)


def test_the_log_line_names_slug_and_detail() -> None:
    assert str(NotFound()) == "not-found"
    assert str(NotFound("没有这个办件。")) == "not-found: 没有这个办件。"
