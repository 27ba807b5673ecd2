"""What can go wrong at the windows, said so that the clerk, or whoever walked in, knows what to do next."""

from backend.booking.problems import Alternative
from backend.kernel.problems import Conflict, NotFound, members


class IdentityUnchecked(Conflict):
    """Nobody is served in another's name: the window says that ID card and booking belong together."""

    slug = "identity-unchecked"
    title = "还没有核对身份，请对照证件确认是预约人本人（含同行人）后再办结。"


class WalkInsFull(Conflict):
    """The places for walk-ins are gone and the site lets nobody queue beyond; `alternatives` can be booked."""

    slug = "walk-ins-full"
    extras = members(alternatives=list[Alternative])
    title = "今天的现场名额已经取完，请预约其他时段，或改天早些来。"


class LetterInUse(Conflict):
    """Numbers beginning with the letter were given today; people hold them in their hands."""

    slug = "letter-in-use"
    extras = members(letter=str, group=str)
    title = "今天已经发出这个字母开头的号，今天不能改字母，请下班后或明天再改。"


class NotInQueue(NotFound):
    """No queue number has been taken for this booking."""

    slug = "not-in-queue"
    title = "您还没有排队号，请到现场签到后再查看。"


class NoQueueHere(Conflict):
    """The site gives no queue numbers for this item."""

    slug = "no-queue-here"
    title = "这个办事点不为此事项发排队号，请直接到窗口。"


class WindowShut(Conflict):
    """Calls at a window that does not serve at present."""

    slug = "window-shut"
    title = "这个窗口没有开放，请先开放窗口，或换一个窗口叫号。"


class WindowBusy(Conflict):
    """Calls the next while one is still being served; `ticket_id` and `label` say whom, where known."""

    slug = "window-busy"
    extras = members(ticket_id=str, label=str)
    title = "这个窗口还有正在办理的号，请先办结、过号或转窗口。"


class NobodyWaiting(Conflict):
    """The queue is empty."""

    slug = "nobody-waiting"
    title = "现在没有人排队，请稍后再叫号。"


class CalledEnough(Conflict):
    """Called out again and again: the others want to go on."""

    slug = "called-enough"
    title = "这个号已多次呼叫，请过号，或登记为未应号。"


class CalledTooLittle(Conflict):
    """Nobody is called absent who was not called several times."""

    slug = "called-too-little"
    title = "登记未应号前，请至少再呼叫两次。"


class SameGroup(Conflict):
    """Sent to the queue in which it is."""

    slug = "same-group"
    title = "这个号已在该窗口组排队，请选择其他窗口组。"
