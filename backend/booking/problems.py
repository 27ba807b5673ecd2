"""What can go wrong with a booking, said so that the citizen knows what to do next."""

from backend.kernel.problems import Conflict, Forbidden, InvalidInput, TooMany


class SlotTaken(Conflict):
    """Not enough places are left; `alternatives` names the next free slots."""

    slug = "slot-taken"
    title = "这个时段刚刚约满了，请另选一个时段。"


class SlotClosed(Conflict):
    """Past, too near, closed, or not opened yet."""

    slug = "slot-closed"
    title = "这个时段现在不能预约，请另选一个时段。"


class NotYourTurn(Conflict):
    """The slot is given out in order or by draw; `release_id` says by which release, `opens_at` from when."""

    slug = "not-your-turn"
    title = "这个时段按顺序放号，还没有轮到您。"


class AlreadyBooked(Conflict):
    """One live booking per person and item, and per case."""

    slug = "already-booked"
    title = "您已经有一个预约，需要换时间请在原预约上改期。"


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
