"""How a platform's answer is told: a spent code is the citizen's to renew, everything else is not their fault."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from backend.kernel.problems import ChannelRefused, ChannelSilent
from backend.people.problems import LoginCodeRefused
from backend.runtime.outbound import Garbled, OutsideError

log = logging.getLogger(__name__)
_SILENT = "登录平台暂时没有回应，请稍后再试，或改用手机验证码登录。"


@contextmanager
def told(unusable: frozenset[str], *, garbled_is_theirs: bool = False) -> Iterator[None]:
    """Translate outside errors; `unusable` are the platform's words for a code that is used, expired or foreign.

    With `garbled_is_theirs` what could not be trusted came through the client, not from the platform.
    """
    try:
        yield
    except OutsideError as error:
        log.info("login not proven", extra={"telephone": error.telephone, "code": error.code})
        if error.code in unusable or (garbled_is_theirs and isinstance(error, Garbled)):
            raise LoginCodeRefused from error
        raise (ChannelRefused if error.permanent else ChannelSilent)(_SILENT, retry_after=10) from error
