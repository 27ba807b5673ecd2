"""Who wants a place together, and whether the places kept for the elderly are theirs.

Places of the elderly that nobody took are everybody's from some hours before; where a site keeps none for them any
more, at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from backend import people
from backend.booking.companions import opened
from backend.booking.models import COMPANIONS, BookingRow
from backend.booking.rules import DEFAULT, Rules, kept_rule
from backend.booking.views import Wish
from backend.kernel import clock
from backend.kernel.identifiers import age_of
from backend.store.unit import Unit

ELDER: Final = "elder"
FOR_ALL: Final = f"""
    (coalesce({kept_rule("elder_percent")}, {DEFAULT.elder_percent}) = 0 OR s.starts_at <= %(now)s
        + make_interval(hours => coalesce({kept_rule("elder_until_hours")}, {DEFAULT.elder_until_hours})))
"""
"""As `are_for_all`, for a slot `s` and %(now)s."""
FOR_ELDERS: Final = f"%(youngest)s >= coalesce({kept_rule('elder_age')}, {DEFAULT.elder_age})"
"""As `Party.are_elders`, for a slot `s` and %(youngest)s."""


@dataclass(frozen=True, slots=True)
class Party:
    """Those who want a place together: one of the register, and who comes along.

    `numbers` are the ID numbers of these; None: somebody comes along, and nobody looked who.
    """

    person_id: str
    size: int = 1
    numbers: tuple[str, ...] | None = ()

    @classmethod
    def of_wish(cls, wish: Wish) -> Self:
        """Those for whom somebody asks."""
        return cls(wish.person_id, wish.party, tuple(one.id_no for one in wish.companions))

    @classmethod
    def of_booking(cls, row: BookingRow) -> Self:
        """Those for whom somebody has booked."""
        named = tuple(one.id_no for one in opened(COMPANIONS, row.id, row.companions))
        return cls(row.person_id, row.party, named if len(named) == row.party - 1 else None)

    def youngest(self, u: Unit) -> int:
        """How many years old the youngest of them is; 0 where that is not known of everybody."""
        if self.numbers is None:
            return 0
        today = clock.today()
        return min([people.age_of(u, self.person_id), *(age_of(id_no, today) for id_no in self.numbers)])

    def are_elders(self, u: Unit, rules: Rules) -> bool:
        """Whether all of them may take the places that a site keeps for the elderly; no, where it keeps none."""
        return rules.elder_percent > 0 and self.youngest(u) >= rules.elder_age


def are_for_all(rules: Rules, starts_at: datetime, now: datetime) -> bool:
    """Whether the places of the elderly in a slot are everybody's by now."""
    return not rules.elder_percent or now >= starts_at - timedelta(hours=rules.elder_until_hours)


def quotas_of(u: Unit, rules: Rules, starts_at: datetime, party: Party) -> list[str]:
    """Kinds of places in a slot that are open to a party, beside those for everybody."""
    if are_for_all(rules, starts_at, clock.now()) or party.are_elders(u, rules):
        return [ELDER]
    return []
