-- Tables of the frozen limit of payment_callbacks. Do not edit.
CREATE TABLE limit_payment (
    id int PRIMARY KEY,
    number text NOT NULL UNIQUE,
    state text NOT NULL,
    reference text,
    paid_at timestamptz
);
INSERT INTO limit_payment (id, number, state) SELECT n, 'PAY' || n, 'awaiting' FROM generate_series(1, 400000) n;
CREATE TABLE limit_payment_journal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id int NOT NULL,
    trigger text NOT NULL,
    says text NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE TABLE limit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id int NOT NULL,
    account text NOT NULL,
    amount_fen bigint NOT NULL,
    entered_at timestamptz NOT NULL
);
CREATE INDEX ON limit_entry (account, id);
