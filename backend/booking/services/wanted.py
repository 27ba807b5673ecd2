"""Who waits for a place of which slot, in SQL: for those who free places and those who offer them.

The fragments speak of a slot `s` and a wait `w`, and ask for the values %(now)s and %(today)s.
"""

from typing import Final

from backend.booking.rules import DEFAULT, kept_rule

ORIGIN: Final = "wait_list"
MOST_OFFERS: Final = 3
"""No rule of a site allows more offers to one person on one day."""

_UNTIL: Final = f"""
    make_interval(mins => coalesce({kept_rule("offer_until_minutes")}, {DEFAULT.offer_until_minutes}))
"""
"""As `Rules.offers_end`: the rules for the item come before those of the whole site."""

OFFERABLE: Final = f"""
    s.closed_at IS NULL AND NOT s.urgent AND s.release_id IS NULL
    AND coalesce(s.opens_at, '-infinity') <= %(now)s AND s.starts_at > %(now)s AND s.starts_at - {_UNTIL} > %(now)s
"""
"""Booking may have closed: who waits is asked all the same, as long as they can still come.

What a queue or a draw gives out goes to those who entered; the wait list has it when the release is over."""

FITS: Final = """
    w.item_id = s.item_id AND w.subject = s.subject AND w.state = 'waiting' AND w.party <= s.capacity
    AND coalesce(w.site_id, s.site_id) = s.site_id
    AND (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN w.from_day AND w.to_day
"""

READY: Final = """
    NOT EXISTS (SELECT 1 FROM booking_booking b
        WHERE b.person_id = w.person_id AND b.item_id = w.item_id AND b.subject = w.subject
            AND (b.state IN ('held', 'confirmed', 'checked_in', 'called')
                OR (b.slot_id = s.id AND b.origin = 'wait_list' AND b.made_at >= w.since
                    AND b.displaced_from IS DISTINCT FROM s.id)))
    AND (SELECT coalesce(sum(o.offers), 0) FROM booking_wait o
        WHERE o.person_id = w.person_id AND o.offers_on = %(today)s) < %(most)s
"""
"""Not booked meanwhile, not offered this slot before, and an offer left for today (of %(most)s).

An offer that ended because the site closed the slot was not the person's to refuse: open again, it is offered again."""
