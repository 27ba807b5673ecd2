-- Frozen limit of slot_rush: a guarded counter and the appointment, nothing else. Do not edit; a new limit is a new file.
\set slot random(1, 1000)
\set person random(1, 1000000)
\set number random(1, 900000000000)
BEGIN;
UPDATE limit_slot SET taken = taken + 1 WHERE id = :slot AND taken < capacity;
INSERT INTO limit_appointment (number, slot_id, person_id, state, made_at)
VALUES ('YY' || :number || '-' || :client_id, :slot, 'ps-' || :person, 'confirmed', CURRENT_TIMESTAMP);
COMMIT;
