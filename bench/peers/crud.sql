-- The one table of the bare CRUD service.
CREATE TABLE timer (
    id         uuid PRIMARY KEY,
    owner      text NOT NULL,
    comment    text,
    started_at timestamptz NOT NULL,
    stopped_at timestamptz
);
