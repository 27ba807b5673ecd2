"""What can go wrong with a parcel, told to the person who asked.

    Problem
    ├── Conflict 409
    │   ├── PickupAlreadyOpen       a second pick-up while one is waiting
    │   ├── MailNotAllowed          this case takes no originals by post
    │   ├── ParcelAlreadyCollected  cannot be called off any more
    │   ├── ParcelNotHere           a deed that needs the parcel in hand
    │   ├── NothingToDispatch       no result waits for this case
    │   ├── NoHandover              nothing to be handed over now
    │   └── HandoverLocked          five wrong codes
    ├── InvalidInput 422
    │   └── PiecesDiffer            the list does not match what was packed
    ├── WrongHandoverCode 422
    └── CarrierRefused 422          in the carrier's words

Titles are for citizens and couriers: plain Chinese that says what to do next.
"""

from backend.kernel.problems import Conflict, InvalidInput, Problem, members


class PickupAlreadyOpen(Conflict):
    """A second pick-up while one is waiting."""

    slug = "pickup-already-open"
    title = "已有一个取件订单在等待，请先取消或等待取件"


class MailNotAllowed(Conflict):
    """The case awaits no originals by post."""

    slug = "mail-not-allowed"
    title = "该办件目前没有需要邮寄的原件"


class ParcelAlreadyCollected(Conflict):
    """It cannot be called off any more."""

    slug = "parcel-already-collected"
    title = "快件已被取走，不能取消；如需退回请联系办理部门"


class ParcelNotHere(Conflict):
    """A deed that needs the parcel in hand, or on the road."""

    slug = "parcel-not-here"
    title = "快件当前状态不能进行该操作"


class NothingToDispatch(Conflict):
    """No result and no originals wait to be sent for this case."""

    slug = "nothing-to-dispatch"
    title = "该办件没有待寄出的结果或原件"


class NoHandover(Conflict):
    """Nothing is handed over against a code now."""

    slug = "no-handover"
    title = "该快件不需要交接码或已经签收"


class HandoverLocked(Conflict):
    """Five wrong codes: staff must help."""

    slug = "handover-locked"
    title = "交接码输错次数过多已锁定，请联系工作人员协助"


class PiecesDiffer(InvalidInput):
    """The list does not match what was packed."""

    slug = "pieces-differ"
    title = "清单与包裹内登记的材料不一致，请核对后再提交"


class WrongHandoverCode(Problem):
    """Not the present code; `tries_left` says how many tries remain."""

    slug = "wrong-handover-code"
    extras = members(tries_left=int)
    status = 422
    title = "交接码不正确，请重新核对"


class CarrierRefused(Problem):
    """The carrier said no, in its own words."""

    slug = "carrier-refused"
    status = 422
    title = "快递公司没有接受本次下单，请检查地址后重试"
