"""At the department: parcels come in and are compared with their list; what is lost or doubted is said so."""

from collections.abc import Sequence

from backend.contracts import ParcelChecked, ParcelTroubled
from backend.kernel.privacy import scrub
from backend.kernel.problems import FieldError
from backend.store.unit import Actor, Unit
from courier.machine import ON_THE_ROAD, PARCEL
from courier.models import ParcelRow, PieceRow
from courier.problems import ParcelNotHere, PiecesDiffer
from courier.services import rows
from courier.services.hearing import record_for, tell
from courier.services.sending import send_back
from courier.views import PieceFinding, PieceWish
from courier.wording import say

ARRIVABLE = ON_THE_ROAD | {"ordered", "assigned", "troubled", "lost", "delivered"}


def receive_parcel(u: Unit, parcel_id: str, by: Actor) -> ParcelRow:
    """It lies on our table: an inbound parcel is delivered, an outbound one has come back. Raises ParcelNotHere."""
    row = rows.locked(u, parcel_id)
    if row.direction == "inbound":
        _arrived(u, row, by)
    elif row.state == "created" or not tell(u, row, "returned", say("trace.came_back"), by, source="staff"):
        raise ParcelNotHere
    return row


def check_parcel(u: Unit, parcel_id: str, findings: Sequence[PieceFinding], by: Actor) -> ParcelRow:
    """Compare an inbound parcel with its list, piece by piece.

    Every piece listed is found `received` or `missing`; what is not on the list is `extra`. Raises PiecesDiffer,
    ParcelNotHere.
    """
    row = rows.locked(u, parcel_id)
    if row.direction != "inbound":
        raise ParcelNotHere
    pieces = {piece.name: piece for piece in rows.pieces_of(u, row.id)}
    if errors := _differences(pieces, findings):
        raise PiecesDiffer(errors=errors)
    _arrived(u, row, by)
    _write_findings(u, row, pieces, findings)
    _checked(u, row, findings, by)
    if row.send_back:
        send_back(u, row, by)
    return row


def report_lost(u: Unit, parcel_id: str, by: Actor) -> ParcelRow:
    """Nobody knows where it is; the first news of it ends this. Raises ParcelNotHere when it is not on the road."""
    row = rows.locked(u, parcel_id)
    if row.collected_at is None or not PARCEL.can(row.state, "lost"):
        raise ParcelNotHere
    tell(u, row, "lost", say("trace.lost"), by, source="staff")
    return row


def confirm_receipt(u: Unit, parcel_id: str, holder_has_it: bool, by: Actor) -> ParcelRow:
    """Settle the doubt about a parcel signed for by another hand. Raises ParcelNotHere when there is none."""
    row = rows.locked(u, parcel_id)
    if row.receipt_doubt in (None, "settled", "disputed"):
        raise ParcelNotHere
    row.receipt_doubt = "settled" if holder_has_it else "disputed"
    says = say("receipt.settled") if holder_has_it else say("receipt.disputed")
    u.note(row.matter, row.id, "receipt_" + row.receipt_doubt, by=by, says=says)
    if not holder_has_it:
        record_for(u, row, ParcelTroubled)
    return row


def _arrived(u: Unit, row: ParcelRow, by: Actor) -> None:
    """The parcel in hand is stronger evidence than any message that has not come yet."""
    if row.state not in ARRIVABLE:
        raise ParcelNotHere
    if row.state != "delivered" and not tell(u, row, "delivered", say("trace.arrived"), by, source="staff"):
        raise ParcelNotHere


def _differences(pieces: dict[str, PieceRow], findings: Sequence[PieceFinding]) -> list[FieldError]:
    """What is wrong with the answers themselves: a piece unanswered, answered twice, or answered falsely."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for number, finding in enumerate(findings):
        if message := _fault(pieces.get(finding.name), finding, finding.name in seen):
            errors.append({"field": f"pieces.{number}", "message": message})
        seen.add(finding.name)
    errors += [
        {"field": "pieces", "message": say("list.unanswered", name=name)}
        for name in pieces
        if name not in seen
    ]
    return errors


def _fault(piece: PieceRow | None, finding: PieceFinding, repeated: bool) -> str:
    if repeated:
        return say("list.repeated", name=finding.name)
    if piece is None:
        return "" if finding.state == "extra" else say("list.not_listed", name=finding.name)
    if finding.state == "extra":
        return say("list.listed", name=finding.name)
    if finding.state == "received" and finding.copies != piece.copies:
        return say("list.copies", copies=piece.copies)
    return ""


def _write_findings(
    u: Unit, row: ParcelRow, pieces: dict[str, PieceRow], findings: Sequence[PieceFinding]
) -> None:
    extra = [PieceWish(finding.name, finding.copies) for finding in findings if finding.state == "extra"]
    rows.pack(u, row, extra)
    known = pieces | {piece.name: piece for piece in rows.pieces_of(u, row.id)}
    for finding in findings:
        known[finding.name].state, known[finding.name].note = finding.state, scrub(finding.note)
    u.flush()


def _checked(u: Unit, row: ParcelRow, findings: Sequence[PieceFinding], by: Actor) -> None:
    named = {
        state: [finding.name for finding in findings if finding.state == state]
        for state in ("received", "missing", "extra")
    }
    u.step(PARCEL, row, "checked", by=by, facts=named)
    u.record(
        ParcelChecked(row.matter, row.person_id, row.id, row.direction, row.purpose, not named["missing"])
    )
    rows.touched(row)
