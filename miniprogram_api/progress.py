"""Story: I have no account, but the case number, the end of the ID number, and the phone on file."""

from contextlib import suppress
from dataclasses import dataclass

from pydantic import Field

from backend import cases, people
from backend.kernel import ids
from backend.runtime.surface import Body, Call, Surface
from backend.store.unit import Unit, unit

PURPOSE = "progress"


class Seeker(Body):
    """Case number as printed (case and dashes do not matter) and the last four of the ID number."""

    number: str = Field(min_length=8, max_length=40)
    id_tail: str = Field(pattern=r"^[0-9]{3}[0-9Xx]$")


class SeekerWithCode(Seeker):
    """The same with the code that was sent to the phone on file."""

    code: str = Field(pattern=r"^[0-9]{4,8}$")


@dataclass(frozen=True, slots=True)
class CodeMaybeSent:
    """The same words whether the case exists or not."""

    says: str


def send_progress_code(call: Call[Seeker], u: Unit) -> CodeMaybeSent:
    """Send a code to the phone on file, if number and ID tail fit; the answer never tells whether they do."""
    person_id = _behind(u, call.body)
    # Telling a stranger to wait, or that no phone is on file, would tell them that the case is there.
    with suppress(people.CodeTooSoon, people.PhoneNeeded):
        if person_id is not None:
            people.send_code_to_person(u, person_id, PURPOSE)
    return CodeMaybeSent(cases.code_maybe_sent())


def show_progress(call: Call[SeekerWithCode]) -> cases.PublicProgress:
    """The masked timeline, for number, ID tail and code."""
    with unit() as u:
        person_id = _behind(u, call.body)
    if person_id is None:
        raise people.WrongCode
    try:
        people.take_code_of_person(person_id, PURPOSE, call.body.code, call.ip_digest)
    except people.PhoneNeeded as gone:
        raise people.WrongCode from gone
    with unit() as u:
        return cases.public_progress_of(u, call.body.number)


def register(surface: Surface) -> None:
    """Open these endpoints on the citizens' surface, to everybody."""
    surface.post(
        "/progress/codes",
        body=Seeker,
        answers=CodeMaybeSent,
        status=202,
        audience="public",
        problems=(people.TooManyTries,),
        gate=people.per_sender("lookups"),
    )(send_progress_code)
    surface.post(
        "/progress",
        body=SeekerWithCode,
        answers=cases.PublicProgress,
        audience="public",
        steps=True,
        problems=(people.WrongCode, people.TooManyTries),
        gate=people.per_sender("lookups"),
    )(show_progress)


def _behind(u: Unit, asked: Seeker) -> str | None:
    """Who is behind the number, with every try counted: ten thousand ID tails are soon gone through otherwise."""
    if ids.is_case_number(asked.number):
        people.count_seeker(u, ids.tidy_case_number(asked.number))
    return cases.person_behind(u, asked.number, asked.id_tail)
