"""Materials as they are given: checked against the guide version, and the files behind them used once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend import catalogue
from backend.cases.problems import MaterialModeRefused, MaterialsMissing, MaterialUnknown
from backend.cases.views import MaterialGiven
from backend.kernel import ids
from backend.kernel.problems import FieldError

MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """One material row about to be written, and the uploads it takes."""

    id: str
    material: catalogue.Material
    mode: str
    uploads: tuple[str, ...]

    @property
    def state(self) -> str:
        return "awaited" if self.mode == "mail" else "given"


def pieces_of(version: catalogue.ItemVersion, given: Sequence[MaterialGiven]) -> list[Piece]:
    """Check what is given against the guide. Raises MaterialUnknown or MaterialModeRefused, all faults at once."""
    found = [(one, version.material(one.code)) for one in given]
    unknown = [one.code for one, material in found if material is None]
    if unknown:
        raise MaterialUnknown(errors=_errors(unknown, "办事指南没有列出这份材料"))
    pieces = [Piece(ids.new_id("ma"), m, one.mode, one.uploads) for one, m in found if m is not None]
    codes = [piece.material.code for piece in pieces]
    doubled = sorted({code for code in codes if codes.count(code) > 1})
    if doubled:
        raise MaterialUnknown(errors=_errors(doubled, "同一份材料只提交一次"))
    refused = [piece.material.code for piece in pieces if not _mode_fits(version, piece)]
    if refused:
        raise MaterialModeRefused(errors=_errors(refused, "请换一种提交方式，或补上文件"))
    return pieces


def require_complete(version: catalogue.ItemVersion, pieces: Sequence[Piece]) -> None:
    """Raises MaterialsMissing naming every required material that is not there."""
    given = {piece.material.code for piece in pieces}
    missing = [m for m in version.materials if m.required and m.code not in given]
    if missing:
        raise MaterialsMissing(
            errors=[FieldError(field=f"materials.{m.code}", message=f"请提交：{m.name}") for m in missing]
        )


def _mode_fits(version: catalogue.ItemVersion, piece: Piece) -> bool:
    """Whether the guide takes this material this way; only an upload brings files along."""
    if bool(piece.uploads) != (piece.mode == "upload") or len(piece.uploads) > MOST_FILES:
        return False
    material = piece.material
    fits = {
        "upload": "E" in material.form,
        "form": "E" in material.form and material.source == "self" and bool(version.form),
        "e_licence": material.e_licence is not None,
        "mail": "P" in material.form and version.policy.mail_in,
        "window": "P" in material.form,
    }
    return fits.get(piece.mode, False)


def _errors(codes: Iterable[str], message: str) -> list[FieldError]:
    return [FieldError(field=f"materials.{code}", message=message) for code in codes]
