"""What may never be found in the books of the hall."""

from typing import Final

HALL_BOOKS: Final = {
    "a ticket is called and its booking is not": """
        SELECT t.id FROM booking_ticket t JOIN booking_booking b ON b.id = t.booking_id
        WHERE t.state = 'called' AND b.state <> 'called'""",
    "a ticket waits and its booking is not checked in": """
        SELECT t.id FROM booking_ticket t JOIN booking_booking b ON b.id = t.booking_id
        WHERE t.state = 'waiting' AND b.state <> 'checked_in'""",
    "a booking is called without a called ticket": """
        SELECT b.id FROM booking_booking b WHERE b.state = 'called' AND NOT EXISTS (
            SELECT 1 FROM booking_ticket t WHERE t.booking_id = b.id AND t.state = 'called')""",
    "two tickets are called at one window": """
        SELECT window_id FROM booking_ticket WHERE state = 'called' GROUP BY window_id HAVING count(*) > 1""",
    "a called ticket has no window of its site": """
        SELECT t.id FROM booking_ticket t LEFT JOIN booking_window w
            ON w.id = t.window_id AND w.site_id = t.site_id
        WHERE t.state = 'called' AND w.id IS NULL""",
    "a ticket waits in a group of another site": """
        SELECT t.id FROM booking_ticket t JOIN booking_window_group g ON g.id = t.group_id
        WHERE t.state IN ('waiting', 'called') AND g.site_id <> t.site_id""",
    "a ticket has a booking or a person that do not belong together": """
        SELECT t.id FROM booking_ticket t LEFT JOIN booking_booking b ON b.id = t.booking_id
        WHERE t.booking_id IS NOT NULL AND b.person_id IS DISTINCT FROM t.person_id""",
    "a place for walk-ins is held by nobody who may hold it": """
        SELECT p.slot_id || '/' || p.number FROM booking_place p JOIN booking_slot s ON s.id = p.slot_id
            LEFT JOIN booking_ticket t ON t.id = p.ticket_id
        WHERE p.ticket_id IS NOT NULL AND (p.kind <> 'walk_in' OR p.booking_id IS NOT NULL OR t.id IS NULL
            OR t.booking_id IS NOT NULL OR t.state NOT IN ('waiting', 'called', 'finished')
            OR t.site_id <> s.site_id OR t.day <> (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date)""",
    "a walk-in went beyond the places and has one": """
        SELECT t.id FROM booking_ticket t JOIN booking_place p ON p.ticket_id = t.id WHERE t.beyond""",
    "an ended ticket has no end, or a living one has": """
        SELECT id FROM booking_ticket
        WHERE (state IN ('waiting', 'called')) <> (ended_at IS NULL)""",
}
