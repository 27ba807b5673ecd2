"""What can go wrong with a booking, said so that the citizen knows what to do next."""

from backend.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, NotYours, TooMany


class SlotTaken(Conflict):
    """Not enough places are left; `alternatives` are the next slots with enough."""

    slug = "slot-taken"
    title = "这个时段刚刚约满了，请另选一个时段。"


class SlotClosed(Conflict):
    """Past, too near, closed, or not opened yet (then the detail and `opens_at` say when)."""

    slug = "slot-closed"
    title = "这个时段现在不能预约，请另选一个时段。"


class NotYourTurn(Conflict):
    """The slot is given out in order or by draw; `release_id` says by which release, the detail when it is whose turn.

    `opens_at` is when the release opens, `your_turn_at` (a queue, once the order stands) when the person may book.
    """

    slug = "not-your-turn"
    title = "这个时段还没有轮到您预约。"


class AlreadyBooked(Conflict):
    """One live booking per person and item, and per case; `booking_id` and `state` say which, where known."""

    slug = "already-booked"
    title = "您已经有一个预约，需要换时间请在原预约上改期。"


class CompanionNotFree(Conflict):
    """Comes along elsewhere, has booked alone, or has no appointment left; `companions` are their positions.

    Which of these it is, when and with whom is told to nobody else.
    """

    slug = "companion-not-free"
    title = "有同行人已有同一事项的预约，或预约次数已到上限，请核对同行人后再约。"


class LimitReached(Conflict):
    """As many appointments as the rules allow in a day, week or month; the detail says which."""

    slug = "booking-limit-reached"
    title = "您的预约次数已到上限。"


class TooManyHolds(TooMany):
    """Places held and given back again and again on one day, or many names from one device."""

    slug = "too-many-holds"
    title = "今天占用又放弃的时段太多，请明天再约，或到现场取号办理。"


class BookingSuspended(Forbidden):
    """Appointments missed too often; `until` says until when, `block_id` what to appeal against."""

    slug = "booking-suspended"
    title = "您多次预约未到场，暂时不能网上预约，可到现场取号办理，也可以申诉。"


class HoldLapsed(Conflict):
    """The place was held for some minutes and was not confirmed in time."""

    slug = "hold-lapsed"
    title = "为您保留的时段已过确认时间，请重新选择。"


class NotBookable(Forbidden):
    """The item or the state of the case does not ask for a visit."""

    slug = "not-bookable"
    title = "这件事现在不需要或不能预约，请查看办理进度。"


class TooLateToCancel(Conflict):
    """Bookings may be cancelled or moved until some hours before."""

    slug = "too-late-to-cancel"
    title = "离预约时间太近，不能在网上取消或改期，请致电办事窗口。"


class SameSlot(Conflict):
    """Moved to where it is."""

    slug = "same-slot"
    title = "新时段和原时段相同，请另选一个时段。"


class OtherItem(Conflict):
    """Moved to a slot of another item or subject."""

    slug = "other-item"
    title = "所选时段不办理这件事，请选择同一事项的时段。"


class UrgencyNeeded(InvalidInput):
    """Out-of-hours slots are for listed reasons with evidence (HN-06)."""

    slug = "urgency-needed"
    title = "非工作时间的时段只为急办事项开放，请选择急办原因并上传证明。"


class WrongDayOrSite(Conflict):
    """Check-in at another place, another day, or far from the appointment's time."""

    slug = "wrong-day-or-site"
    title = "预约不在今天、不在本办事点，或离预约时间太远，请核对预约信息。"


class WrongCheckInCode(InvalidInput):
    """The code shown, or the tail of the ID number, does not belong to this booking."""

    slug = "wrong-check-in-code"
    title = "签到码不正确或已过期，请让办事人重新出示，或核对身份证。"


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


class ReleaseUnknown(NotYours):
    """No such release, or one of another department."""


class EntriesClosed(Conflict):
    """Before or after the time for entries, or nothing is left; `entries_from`, `entries_until` say when it is."""

    slug = "entries-closed"
    title = "现在不能报名，请查看本次放号的报名时间。"


class AlreadyEntered(Conflict):
    """One entry per person and release; `entry_id` is it."""

    slug = "already-entered"
    title = "您已经报过名了，不用重复报名。"


class OneLotEach(Conflict):
    """Somebody of the party stands in another entry of the same release already: one human being, one lot."""

    slug = "one-lot-each"
    title = "您或同行人已经在这次放号的另一份报名里，每人只能报一次。"


class ReleaseNotReady(Conflict):
    """Not at this stage of the release, or no longer; the detail says why."""

    slug = "release-not-ready"
    title = "本次放号现在不能进行这一步，请查看放号状态。"


class DrawUnderWay(Conflict):
    """No rules are changed between the end of entries and the result of a draw; `release_id` is the draw."""

    slug = "draw-under-way"
    title = "有摇号已截止报名、尚未公布结果，公布结果后才能修改预约规则。"


class SlotsInUse(Conflict):
    """Some of the slots are booked, promised or open already; `slots` names them."""

    slug = "slots-in-use"
    title = "所选日期里有时段已被预约、已公布开放或已安排放号，请调整日期。"


class SameHands(Forbidden):
    """Two different people write the public value down."""

    slug = "same-hands"
    title = "公开数值要由两名不同的工作人员填写和确认，请由另一人确认。"


class ValuesDiffer(Conflict):
    """The second did not read the same."""

    slug = "values-differ"
    title = "两人填写的公开数值不一致，请核对公开来源后重新填写。"


class PublicValueMissing(Conflict):
    """Nothing is drawn before the public value stands, written by two."""

    slug = "public-value-missing"
    title = "还没有确认公开数值，请先由一人填写、另一人确认。"


class AlreadyWaiting(Conflict):
    """One live wait per person, item and subject."""

    slug = "already-waiting"
    title = "您已经在候补这件事，不用重复登记，有空位会通知您。"


class AppealTooLate(Conflict):
    """The block is over: there is nothing left to appeal against."""

    slug = "appeal-too-late"
    title = "暂停预约已经到期，您现在可以正常预约，不需要再申诉。"


class PatternOverlaps(Conflict):
    """Two patterns for the same windows, item and subject at the same time; `pattern_id` is the other one."""

    slug = "pattern-overlaps"
    title = "与已有的排班计划时间重叠，请先调整或撤回原计划。"


class PlanRefused(InvalidInput):
    """Something in a sheet is wrong and nothing was taken over; `findings` say what, by row and column."""

    slug = "plan-refused"
    title = "排班表有错误，没有导入任何内容，请按提示修改后重新上传。"


class WindowInUse(Conflict):
    """A window that is serving somebody, or a group that is still planned for; the detail says which."""

    slug = "window-in-use"
    title = "窗口或窗口组正在使用，不能这样调整。"


class NotThisDay(Conflict):
    """Only days and slots that are not over can be closed, opened again or given other hours."""

    slug = "not-this-day"
    title = "只能调整今天或以后、还没有结束的日期和时段。"
