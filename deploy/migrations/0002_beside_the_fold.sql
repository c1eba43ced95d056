-- What stands outside the versions of the read models: outcomes, dead letters, policies, texts, and the deployment.
CREATE TABLE deployment (
    only_one   boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    partitions integer NOT NULL CHECK (partitions BETWEEN 1 AND 4096)
);

-- Answer store, dedupe and outbox. An event id may come again after 30 days, so it is no key.
CREATE TABLE outcome (
    kpart         integer NOT NULL,
    source_offset bigint NOT NULL,
    event_id      uuid,
    tenant        text,
    digest        text,
    log_time      timestamptz NOT NULL,
    body          text NOT NULL,
    PRIMARY KEY (kpart, source_offset)
);
CREATE INDEX outcome_by_event ON outcome (kpart, event_id);

CREATE TABLE dead_letter (
    kpart         integer NOT NULL,
    source_offset bigint NOT NULL,
    log_time      timestamptz NOT NULL,
    reason        text NOT NULL,
    PRIMARY KEY (kpart, source_offset)
);

CREATE TABLE policy (
    revision bigint PRIMARY KEY,
    tenant   text NOT NULL,
    replaces bigint,
    set_by   text NOT NULL,
    set_at   timestamptz NOT NULL,
    document jsonb NOT NULL
);
CREATE INDEX policy_by_tenant ON policy (tenant, revision);

-- A text belongs to the timer that its event started: two processes may draw one id, the fold keeps one start.
CREATE TABLE timer_text (
    slot      integer NOT NULL,
    timer_id  bigint NOT NULL,
    event_id  uuid NOT NULL,
    tenant    text NOT NULL,
    owner     text NOT NULL,
    comment   text,
    work_item text,
    PRIMARY KEY (slot, timer_id, event_id)
);

-- The next offset of timer.texts.v1 to project: an older text, delivered again, must not bring back an erased one.
CREATE TABLE text_position (
    kpart       integer PRIMARY KEY,
    next_offset bigint NOT NULL
);
