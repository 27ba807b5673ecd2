"""The form of an item as data: screens are built from it, and answers are checked against it."""

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from backend.catalogue.words import say

Kind = Literal["text", "long_text", "number", "date", "choice", "id_no", "uscc", "mobile", "address"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
_REPEATED_GROUP = re.compile(r"\)[*+?{]")


class Strict(BaseModel):
    """A piece of a record: nothing unknown, nothing of another type, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OptionRecord(Strict):
    value: Line
    label: Line


class VisibleWhen(Strict):
    """The field is shown only when another field holds one of these values."""

    field: Name
    equals: Annotated[list[Line], Field(min_length=1)]


class FieldRecord(Strict):
    """One question to the citizen. `min` and `max` bound the length of a text and the value of a number."""

    name: Name
    label: Line
    kind: Kind
    required: bool = True
    min: int | None = None
    max: int | None = None
    decimals: Annotated[int, Field(ge=0, le=4)] = 0
    pattern: Annotated[str, Field(max_length=200)] | None = None
    options: list[OptionRecord] = []
    help: Line | None = None
    private: bool = False
    visible_when: VisibleWhen | None = None

    @field_validator("pattern")
    @classmethod
    def _must_compile(cls, pattern: str | None) -> str | None:
        if pattern is not None and (_REPEATED_GROUP.search(pattern) or not _compiles(pattern)):
            raise complaint("bad_pattern")
        return pattern

    @model_validator(mode="after")
    def _must_be_answerable(self) -> Self:
        if (self.kind == "choice") != bool(self.options):
            raise complaint("choice_without_options")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise complaint("min_above_max")
        return self


class FormRecord(Strict):
    fields: Annotated[list[FieldRecord], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _must_hang_together(self) -> Self:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise complaint("form_name_twice")
        before: set[str] = set()
        for field in self.fields:
            if field.visible_when is not None and field.visible_when.field not in before:
                raise complaint("form_unknown_condition", name=field.name)
            before.add(field.name)
        return self


def complaint(key: str, **facts: object) -> PydanticCustomError:
    """An error whose words stand in the wording of structural errors under `key`."""
    return PydanticCustomError("said", "{said}", {"said": say("errors", key, **facts)})


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
