"""What can go wrong with a booking, said so that the citizen knows what to do next."""

from dataclasses import dataclass
from datetime import datetime

from backend.kernel.problems import Conflict, Forbidden, InvalidInput, NotYours, TooMany, members


@dataclass(frozen=True, slots=True)
class Where:
    """Where an alternative is."""

    id: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """A slot that has room, as a refusal tells it; `item_id` where several items were asked for."""

    slot_id: str
    site: Where
    starts_at: datetime
    ends_at: datetime
    free: int
    item_id: str | None = None


class SlotTaken(Conflict):
    """Not enough places are left; `alternatives` are the next slots with enough."""

    slug = "slot-taken"
    extras = members(alternatives=list[Alternative])
    title = "这个时段刚刚约满了，请另选一个时段。"


class SlotClosed(Conflict):
    """`reason`: "past", "too-near" (since `closes_at`), "closed" (`closed_why`), "not-open-yet" (`opens_at`).

    `alternatives` are the next slots with enough places.
    """

    slug = "slot-closed"
    extras = members(
        reason=str, opens_at=datetime, closes_at=datetime, closed_why=str, alternatives=list[Alternative]
    )
    title = "这个时段现在不能预约，请另选一个时段。"


class NotYourTurn(Conflict):
    """The slot is given out in order or by draw; `release_id` says by which release, the detail when it is whose turn.

    `opens_at` is when the release opens, `your_turn_at` (a queue, once the order stands) when the person may book.
    """

    slug = "not-your-turn"
    extras = members(release_id=str, opens_at=datetime, your_turn_at=datetime)
    title = "这个时段还没有轮到您预约，请先报名，或等轮到您时再约。"


class AlreadyBooked(Conflict):
    """One live booking per person and item, and per case; `booking_id` and `state` say which, where known."""

    slug = "already-booked"
    extras = members(booking_id=str, state=str)
    title = "您已经有一个预约，需要换时间请在原预约上改期。"


class CompanionNotFree(Conflict):
    """Comes along elsewhere, has booked alone, or may not book any more; `companions` are their positions.

    Which of these it is, when and with whom is told to nobody else.
    """

    slug = "companion-not-free"
    extras = members(companions=list[int])
    title = "有同行人已有同一事项的预约，或预约次数已到上限，请核对同行人后再约。"


class LimitReached(Conflict):
    """As many appointments as the rules allow in a day, week or month; the detail says which."""

    slug = "booking-limit-reached"
    title = "您的预约次数已到上限，请选择其他日期，或到现场取号办理。"


class TooManyHolds(TooMany):
    """Places held and given back again and again on one day, or many names from one device."""

    slug = "too-many-holds"
    title = "今天占用又放弃的时段太多，请明天再约，或到现场取号办理。"


class BookingSuspended(Forbidden):
    """Appointments missed too often; `until` says until when, `block_id` what to appeal against."""

    slug = "booking-suspended"
    extras = members(until=datetime, block_id=str)
    title = "您多次预约未到场，暂时不能网上预约，可到现场取号办理，也可以申诉。"


class HoldLapsed(Conflict):
    """The place was held for some minutes and was not confirmed in time; `alternatives` are the next slots."""

    slug = "hold-lapsed"
    extras = members(alternatives=list[Alternative])
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
    """A slot of another item or subject than the booking that is moved, or than the case it is for."""

    slug = "other-item"
    title = "所选时段不办理这件事，请选择同一事项的时段。"


class UrgencyNeeded(InvalidInput):
    """Out-of-hours slots are for listed reasons with evidence (HN-06)."""

    slug = "urgency-needed"
    extras = members(reasons=dict[str, str])
    title = "非工作时间的时段只为急办事项开放，请选择急办原因并上传证明。"


class WrongDayOrSite(Conflict):
    """`reason`: "wrong-site", "wrong-day", "too-early" or "too-late"; the detail says when and where it is.

    Told, with `site`, `starts_at` and `ends_at`, once code or card has been proved; `since` and `until` say when one
    may check in.
    """

    slug = "wrong-day-or-site"
    extras = members(
        reason=str, site=Where, starts_at=datetime, ends_at=datetime, since=datetime, until=datetime
    )
    title = "现在不能在这里办理这个预约，请核对预约的时间和地点。"


class AlreadyCheckedIn(Conflict):
    """Checked in before; `label`, `group` and `ticket_id` are those of the number, if any; `window` calls it."""

    slug = "already-checked-in"
    extras = members(booking_id=str, ticket_id=str, label=str, group=str, window=int | None)
    title = "您已经签到过了，不用再签，请等候叫号。"


class WrongCheckInCode(InvalidInput):
    """The code shown, or the tail of the ID number, does not belong to this booking."""

    slug = "wrong-check-in-code"
    title = "签到码不正确或已过期，请让办事人重新出示，或核对身份证。"


class ReleaseUnknown(NotYours):
    """No such release, or one of another department."""


class EntriesClosed(Conflict):
    """Before or after the time for entries, or nothing is left; `entries_from`, `entries_until` say when it is."""

    slug = "entries-closed"
    extras = members(entries_from=datetime, entries_until=datetime)
    title = "现在不能报名，请按报名时间再来，或登记候补。"


class AlreadyEntered(Conflict):
    """One entry per person and release; `entry_id` is it."""

    slug = "already-entered"
    extras = members(entry_id=str)
    title = "您已经报过名了，不用重复报名。"


class OneLotEach(Conflict):
    """Somebody of the party stands in another entry of the same release already: one human being, one lot."""

    slug = "one-lot-each"
    title = "您或同行人已经在这次放号的另一份报名里，每人只能报一次。"


class ReleaseNotReady(Conflict):
    """Not at this stage of the release, or no longer; the detail says why."""

    slug = "release-not-ready"
    title = "本次放号现在不能进行这一步，请查看放号状态。"


class SlotsInUse(Conflict):
    """Some of the slots are booked, promised or open already; `slots` names them."""

    slug = "slots-in-use"
    extras = members(slots=list[str])
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
