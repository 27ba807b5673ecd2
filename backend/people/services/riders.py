"""Couriers: our own riders and those of postal points, known by a phone, let in by a code."""

from backend.kernel import clock, identifiers, ids, privacy
from backend.kernel.problems import FieldError, InvalidInput, NotFound, Problem
from backend.people import sealing, wording
from backend.people.machine import RIDER
from backend.people.models import Rider
from backend.people.problems import RiderKnown, WrongCode
from backend.people.services import codes, sessions
from backend.people.services.races import settled
from backend.people.views import RiderView, Tickets
from backend.store import vault
from backend.store.unit import Actor, Unit


def enrol_rider(
    u: Unit, name: str, phone: str, *, carrier: str, point: str, region_code: str, by: Actor
) -> RiderView:
    """Put a courier on the books: `carrier` such as "rider", `point` the station. Raises RiderKnown, InvalidInput."""
    phone = identifiers.tidy_mobile(phone)
    if not identifiers.is_mobile(phone):
        raise InvalidInput(errors=[FieldError(field="phone", message="手机号应为 11 位数字，请核对。")])
    if rider_by_phone(u, phone) is not None:
        raise RiderKnown
    row_id = ids.new_id("ri")
    rider = Rider(
        id=row_id, name=vault.seal(sealing.RIDER_NAME, row_id, name), carrier=carrier, point=point,
        phone=vault.seal(sealing.RIDER_PHONE, row_id, phone), phone_blind=vault.blind(sealing.RIDER_PHONE, phone),
        region_code=region_code, created_at=clock.now(),
    )  # fmt: skip
    u.begin(RIDER, rider, by=by, says=wording.label("begun.rider"))
    u.add(rider)
    u.session.flush()
    return view_of(rider)


def suspend_rider(u: Unit, rider_id: str, *, by: Actor) -> None:
    """No more parcels for this one; all sessions end."""
    u.step(RIDER, _rider(u, rider_id, lock=True), "suspended", by=by)
    sessions.end_all_sessions(u, rider_id, "suspended")


def reinstate_rider(u: Unit, rider_id: str, *, by: Actor) -> None:
    """Back on the road."""
    u.step(RIDER, _rider(u, rider_id, lock=True), "reinstated", by=by)


def enter_rider(phone: str, code: str, device: str = "", sender: str = "") -> Tickets:
    """Log a courier in by a code sent to the phone [own unit]. Raises WrongCode, also for a phone nobody here has."""

    def work(u: Unit) -> Tickets | Problem:
        if (refusal := codes.try_code(u, phone, "courier_login", code, sender)) is not None:
            return refusal
        rider = rider_by_phone(u, phone)
        if rider is None or rider.state != RIDER.start:
            return WrongCode()
        return sessions.open_session(u, "courier", rider.id, "phone", device)

    return settled(work)


def rider_of(u: Unit, rider_id: str) -> RiderView:
    """A courier, masked. Raises NotFound."""
    return view_of(_rider(u, rider_id))


def rider_by_phone(u: Unit, phone: str) -> Rider | None:
    """The row of a courier's phone, for this house only."""
    blinds = vault.blinds(sealing.RIDER_PHONE, phone)
    return u.session.query(Rider).filter(Rider.phone_blind.in_(blinds)).first()


def view_of(rider: Rider) -> RiderView:
    return RiderView(
        rider.id,
        privacy.mask_name(vault.open_sealed(sealing.RIDER_NAME, rider.id, rider.name)),
        privacy.mask_phone(vault.open_sealed(sealing.RIDER_PHONE, rider.id, rider.phone)),
        rider.carrier, rider.point, rider.region_code, rider.state,
    )  # fmt: skip


def _rider(u: Unit, rider_id: str, *, lock: bool = False) -> Rider:
    if (rider := u.get(Rider, rider_id, lock=lock)) is None:
        raise NotFound
    return rider
