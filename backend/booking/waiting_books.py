"""What contradicts itself among waits, offers, kept places and blocks."""

from typing import Final

WAITING_BOOKS: Final = {
    "a wait says offered and no place is held for it": """
        SELECT w.id FROM booking_wait w LEFT JOIN booking_booking b ON b.id = w.booking_id
        WHERE w.state = 'offered' AND (b.id IS NULL OR b.state <> 'held' OR b.origin <> 'wait_list'
            OR b.person_id <> w.person_id OR b.item_id <> w.item_id OR b.subject <> w.subject
            OR b.party <> w.party)""",
    "a place is offered and nobody waits for it": """
        SELECT b.id FROM booking_booking b
        WHERE b.state = 'held' AND b.origin = 'wait_list' AND NOT EXISTS (
            SELECT 1 FROM booking_wait w WHERE w.booking_id = b.id AND w.state = 'offered')""",
    "a wait was taken without a booking": """
        SELECT w.id FROM booking_wait w LEFT JOIN booking_booking b ON b.id = w.booking_id
        WHERE w.state = 'taken' AND w.instead_of IS NULL AND (b.id IS NULL OR b.state IN ('held', 'lapsed'))""",
    "a person was offered more than three places on one day": """
        SELECT person_id || ' ' || offers_on FROM booking_wait WHERE offers_on IS NOT NULL
        GROUP BY person_id, offers_on HAVING sum(offers) > 3""",
    "a place that somebody has is kept for those who wait": """
        SELECT slot_id || '/' || number FROM booking_place WHERE kept AND (booking_id IS NOT NULL OR kind = 'walk_in')
        """,
    "somebody is blocked because of a booking that was not missed": """
        SELECT k.id FROM booking_block k JOIN booking_booking b ON b.id = k.cause_id
        WHERE b.state <> 'missed' OR b.item_id <> k.item_id OR (b.person_id <> k.person_id AND b.party = 1)""",
}
