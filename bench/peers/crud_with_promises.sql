-- The tables of a CRUD service that keeps the product's promises in one transaction for each press.
-- The row that each press of an owner locks, so that presses of one owner are judged one after the other.
CREATE TABLE owner (
    owner   text PRIMARY KEY,
    last_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE timer (
    id         uuid PRIMARY KEY,
    owner      text NOT NULL,
    comment    text,
    started_at timestamptz NOT NULL,
    stopped_at timestamptz,
    flags      text[] NOT NULL
);
CREATE INDEX timer_running ON timer (owner) WHERE stopped_at IS NULL;

CREATE TABLE day_total (
    owner     text NOT NULL,
    day       date NOT NULL,
    worked_us bigint NOT NULL,
    PRIMARY KEY (owner, day)
) WITH (fillfactor = 50);

-- The request under a key and its answer, so that a retry gets the same answer.
CREATE TABLE answer (
    key      text PRIMARY KEY,
    digest   bytea NOT NULL,
    status   smallint NOT NULL,
    body     bytea NOT NULL,
    given_at timestamptz NOT NULL
);

CREATE TABLE violation (
    timer_id uuid NOT NULL,
    rule     text NOT NULL,
    from_at  timestamptz NOT NULL,
    owner    text NOT NULL,
    PRIMARY KEY (timer_id, rule, from_at)
);

-- Events for other services, in order. A relay would publish and delete these rows; none runs here.
CREATE TABLE outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event  text NOT NULL
);
