"""What can go wrong at the windows, said so that the clerk, or whoever walked in, knows what to do next."""

from backend.kernel.problems import Conflict


class IdentityUnchecked(Conflict):
    """Nobody is served in another's name: the window says that ID card and booking belong together."""

    slug = "identity-unchecked"
    title = "还没有核对身份，请对照证件确认是预约人本人（含同行人）后再办结。"


class WalkInsFull(Conflict):
    """The places for walk-ins are gone and the site lets nobody queue beyond; `alternatives` can be booked."""

    slug = "walk-ins-full"
    title = "今天的现场名额已经取完，请预约其他时段，或改天早些来。"


class LetterInUse(Conflict):
    """Numbers beginning with the letter were given today; people hold them in their hands."""

    slug = "letter-in-use"
    title = "今天已经发出这个字母开头的号，今天不能改字母，请下班后或明天再改。"
