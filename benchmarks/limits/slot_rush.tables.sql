-- Tables of the frozen limit of slot_rush. Do not edit.
CREATE TABLE limit_slot (
    id int PRIMARY KEY,
    starts_at timestamptz NOT NULL,
    capacity int NOT NULL,
    taken int NOT NULL
);
INSERT INTO limit_slot SELECT n, CURRENT_TIMESTAMP + n * interval '1 minute', 1000000, 0 FROM generate_series(1, 1000) n;
CREATE TABLE limit_appointment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    slot_id int NOT NULL REFERENCES limit_slot,
    person_id text NOT NULL,
    state text NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX ON limit_appointment (person_id, id);
