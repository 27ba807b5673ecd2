"""The number at which a citizen is reached: changed by a code, or by a platform that vouches for it."""

from backend.kernel.problems import Conflict, Problem
from backend.people import questions, register, sealing
from backend.people.problems import PhoneTaken
from backend.people.services import codes, joining, vouchers
from backend.people.services.races import settled
from backend.people.views import MeView
from backend.store.unit import Unit


def change_phone(person_id: str, phone: str, code: str) -> MeView:
    """Take a new number, proven by a code of purpose "phone" [own unit]. Raises WrongCode, PhoneTaken."""
    return settled(lambda u: codes.try_code(u, phone, "phone", code, person_id) or _hold(u, person_id, phone))


def take_proven_phone(person_id: str, phone: str) -> MeView:
    """Take a number that the platform has proven [own unit]. Raises PhoneTaken."""
    return settled(lambda u: _hold(u, person_id, phone))


def take_shown_phone(person_id: str, phone: str, platform: str, answer: str) -> MeView:
    """As take_proven_phone, where the platform's signed answer came through the client. Raises LoginCodeRefused too."""

    def work(u: Unit) -> MeView | Problem:
        account = questions.account_of(u, person_id, platform)
        whose = sealing.outside_text(platform, account) if account else person_id
        return vouchers.claim(u, answer, whose) or _hold(u, person_id, phone)

    return settled(work)


def _hold(u: Unit, person_id: str, phone: str) -> MeView | Problem:
    door = register.channel_row(u, "phone", phone)
    holder_id = door.person_id if door is not None else None
    found = register.locked_in_order(u, person_id, holder_id)
    person, holder = found[person_id], found.get(holder_id or "")
    if any(one.state == "joined" for one in found.values()):
        raise Conflict
    if holder is None:
        joining.prove_phone(u, person, phone)
    elif holder is not person:
        if holder.level == 2:
            raise PhoneTaken
        joining.join_with_phone(u, holder, person, phone)
    u.session.flush()
    return questions.me(u, person.id)
