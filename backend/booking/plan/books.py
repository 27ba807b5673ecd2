"""What may never be found in the books of plans and closings."""

from typing import Final

PLAN_BOOKS: Final = {
    "two patterns open the same windows at the same time": """
        SELECT a.id FROM booking_pattern a JOIN booking_pattern b ON a.id < b.id AND a.site_id = b.site_id
            AND a.item_id = b.item_id AND a.subject = b.subject AND a.group_id = b.group_id AND a.urgent = b.urgent
            AND a.opens < b.closes AND b.opens < a.closes
            AND a.valid_from <= coalesce(b.valid_to, 'infinity') AND b.valid_from <= coalesce(a.valid_to, 'infinity')
        WHERE a.withdrawn_at IS NULL AND b.withdrawn_at IS NULL
            AND EXISTS (SELECT 1 FROM jsonb_array_elements(a.weekdays) one WHERE b.weekdays @> one)""",
    "a slot has fewer places than its capacity": """
        SELECT s.id FROM booking_slot s LEFT JOIN booking_place p ON p.slot_id = s.id
        GROUP BY s.id, s.capacity HAVING count(p.number) < s.capacity""",
    "a closed day has an open slot": """
        SELECT s.id FROM booking_slot s JOIN booking_day d ON d.site_id = s.site_id AND d.kind = 'closed'
            AND d.day = (s.starts_at AT TIME ZONE 'Asia/Shanghai')::date
        WHERE s.closed_at IS NULL AND s.ends_at > d.set_at""",
    "a place is offered for a closing that nobody was told of": """
        SELECT id FROM booking_booking
        WHERE displaced_to IS NOT NULL AND (displaced_from IS NULL OR displaced_at IS NULL)""",
}
