"""What leaves the register: frozen views, masked unless their name says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PersonView:
    """A citizen as anybody at a window may see them. `level`: 0 none, 1 phone proven, 2 verified by the authority."""

    id: str
    name_masked: str
    id_no_masked: str
    phone_masked: str
    level: int


@dataclass(frozen=True, slots=True)
class PersonDetail:
    """A citizen in plain words; every look is journalled."""

    id: str
    name: str
    id_no: str
    phone: str
    level: int


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach somebody: for messages and carriers, never for a window."""

    person_id: str
    phone: str | None
    openids: Mapping[str, str]
    elder_mode: bool
    push_off: bool


@dataclass(frozen=True, slots=True)
class MeView:
    """A citizen as they see themselves."""

    id: str
    level: int
    level_label: str
    name_masked: str
    id_no_masked: str
    phone_masked: str
    channels: tuple[str, ...]
    elder_mode: bool
    push_off: bool


@dataclass(frozen=True, slots=True)
class Tickets:
    """What a login hands out. Access tokens live 900 seconds; a refresh token is good once."""

    session_id: str
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    token_type: str = "Bearer"


@dataclass(frozen=True, slots=True)
class Entered:
    """A login, and who it turned out to be."""

    tickets: Tickets
    person: MeView


@dataclass(frozen=True, slots=True)
class RealName:
    """The end of a registration. New tickets when the login turned out to be somebody already registered."""

    person: MeView
    tickets: Tickets | None


@dataclass(frozen=True, slots=True)
class AddressView:
    """One line of the address book, for lists: name and phone masked, the place down to its street."""

    id: str
    name_masked: str
    phone_masked: str
    region_code: str
    place_masked: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class AddressDetail:
    """An address in plain words: for its owner, and for the carrier who goes there."""

    id: str
    person_id: str
    name: str
    phone: str
    region_code: str
    province: str
    city: str
    district: str
    street: str
    detail: str
    is_default: bool = False

    @property
    def place(self) -> str:
        """The whole address on one line."""
        return self.province + self.city + self.district + self.street + self.detail


@dataclass(frozen=True, slots=True)
class Look:
    """Who looked at my details, when, what for."""

    looked_at: datetime
    who: str
    what: str
    purpose: str
    matter: str


@dataclass(frozen=True, slots=True)
class ConsentText:
    """A text one agrees to; `digest` is the SHA-256 of its words."""

    scope: str
    version: str
    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class ConsentView:
    scope: str
    version: str
    digest: str
    given_at: datetime
    channel: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """One login, as its holder sees it."""

    id: str
    channel: str
    device: str
    opened_at: datetime
    seen_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An invitation to staff: the token is shown once."""

    staff_id: str
    account: str
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """What an authenticator app needs; shown once, worthless until confirmed by a first code."""

    secret: str
    otpauth_uri: str


@dataclass(frozen=True, slots=True)
class Scope:
    """One role and how far it reaches; None reaches everywhere."""

    role: str
    department_id: str | None
    region_code: str | None


@dataclass(frozen=True, slots=True)
class StaffView:
    id: str
    account: str
    name_masked: str
    label: str
    department_id: str | None
    region_code: str | None
    scopes: tuple[Scope, ...]
    state: str
    state_label: str


@dataclass(frozen=True, slots=True)
class RiderView:
    """A courier of our own or of a postal point."""

    id: str
    name_masked: str
    phone_masked: str
    carrier: str
    point: str
    region_code: str
    state: str


@dataclass(frozen=True, slots=True)
class SystemKeyView:
    """A key of a department's system, without its secret; `good_until` once it is replaced."""

    id: str
    state: str
    says: str
    created_at: datetime
    good_until: datetime | None


@dataclass(frozen=True, slots=True)
class SystemView:
    """A department's system with its keys."""

    id: str
    name: str
    department_id: str
    region_code: str | None
    keys: tuple[SystemKeyView, ...]


@dataclass(frozen=True, slots=True)
class SystemKeyIssued:
    """A department system's key, not yet confirmed; the secret is shown once."""

    system_id: str
    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A staff account of the demonstration town, printed for whoever opens it."""

    account: str
    password: str
    totp_secret: str
    label: str
    department_id: str | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DemoRider:
    """A courier of the demonstration town; the code comes to the fake phone."""

    phone: str
    carrier: str
    point: str


@dataclass(frozen=True, slots=True)
class DemoSystem:
    """A department's system of the demonstration town."""

    department_id: str
    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """Who may stand at the windows of a demonstration town."""

    staff: tuple[DemoAccount, ...]
    riders: tuple[DemoRider, ...]
    systems: tuple[DemoSystem, ...]
