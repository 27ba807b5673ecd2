-- Tables of the frozen limit of case_submission. Do not edit.
CREATE TABLE limit_case (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    person_id text NOT NULL,
    item_version_id text NOT NULL,
    state text NOT NULL,
    form bytea NOT NULL,
    submitted_at timestamptz NOT NULL
);
CREATE INDEX ON limit_case (person_id, id);
CREATE TABLE limit_material (
    case_id bigint NOT NULL REFERENCES limit_case,
    code text NOT NULL,
    name text NOT NULL,
    mode text NOT NULL,
    PRIMARY KEY (case_id, code)
);
CREATE TABLE limit_journal (
    case_id bigint NOT NULL,
    seq int NOT NULL,
    trigger text NOT NULL,
    says text NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, seq)
);
