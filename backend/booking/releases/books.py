"""What may never be found in the books of releases."""

from typing import Final

RELEASE_BOOKS: Final = {
    "an entry won and has no appointment of its own": """
        SELECT e.id FROM booking_entry e LEFT JOIN booking_booking b ON b.id = e.booking_id
        WHERE e.state = 'won' AND (b.id IS NULL OR b.origin <> 'draw' OR b.person_id <> e.person_id
            OR b.party <> e.party)""",
    "an appointment was drawn by two entries": """
        SELECT booking_id FROM booking_entry WHERE state = 'won' GROUP BY booking_id HAVING count(*) > 1""",
    "the ranks of a release are not 1 to n": """
        SELECT release_id FROM booking_entry WHERE rank IS NOT NULL GROUP BY release_id
        HAVING count(*) <> max(rank) OR count(DISTINCT rank) <> count(*) OR min(rank) <> 1""",
    "an entry is undecided after the draw": """
        SELECT e.id FROM booking_entry e JOIN booking_release r ON r.id = e.release_id
        WHERE r.state = 'drawn' AND e.state IN ('entered', 'queued')""",
    "a slot belongs to a release that is over": """
        SELECT s.id FROM booking_slot s LEFT JOIN booking_release r ON r.id = s.release_id
        WHERE s.release_id IS NOT NULL AND (r.id IS NULL OR r.state IN ('called_off', 'drawn'))""",
}
