"""What can go wrong with a booking, said so that the citizen knows what to do next."""

from backend.kernel.problems import Conflict, Forbidden, InvalidInput


class SlotTaken(Conflict):
    """No place is left; `alternatives` names the next free slots."""

    slug = "slot-taken"
    title = "这个时段刚刚约满了，请另选一个时段。"


class SlotClosed(Conflict):
    """Past, too near, or not opened yet."""

    slug = "slot-closed"
    title = "这个时段现在不能预约，请另选一个时段。"


class AlreadyBooked(Conflict):
    """One live booking per person and item, and per case."""

    slug = "already-booked"
    title = "您已经有一个预约，请先取消原预约再改约。"


class HoldLapsed(Conflict):
    """The place was held for some minutes and was not confirmed in time."""

    slug = "hold-lapsed"
    title = "为您保留的时段已过确认时间，请重新选择。"


class NotBookable(Forbidden):
    """The item or the state of the case does not ask for a visit."""

    slug = "not-bookable"
    title = "这件事现在不需要或不能预约，请查看办理进度。"


class TooLateToCancel(Conflict):
    """Bookings may be cancelled until some hours before."""

    slug = "too-late-to-cancel"
    title = "离预约时间太近，不能在网上取消，请致电办事窗口。"


class WrongDayOrSite(Conflict):
    """Check-in at another place or another day."""

    slug = "wrong-day-or-site"
    title = "预约不在今天或不在本办事点，请核对预约信息。"


class WrongCheckInCode(InvalidInput):
    """The code shown does not belong to this booking."""

    slug = "wrong-check-in-code"
    title = "签到码不正确，请让办事人重新出示。"
