-- The fold's tables, first version. A rebuild fills the next version beside this one.
CREATE SCHEMA fold_v1;

-- `published`: outcomes below this offset of the events are on timer.outcomes.v1; `outcomes_next`: where to read on there.
CREATE TABLE fold_v1.checkpoint (
    kpart         integer PRIMARY KEY,
    next_offset   bigint NOT NULL DEFAULT 0,
    last_event_id uuid,
    last_log_time timestamptz,
    policy_rev    bigint NOT NULL DEFAULT -1,
    published     bigint NOT NULL DEFAULT 0,
    outcomes_next bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE fold_v1.timer (
    slot          integer NOT NULL,
    id            bigint NOT NULL,
    tenant        text NOT NULL,
    owner         text NOT NULL,
    account_id    text,
    job_id        text,
    project_id    text,
    billable      boolean NOT NULL,
    work_date     date,
    state         text NOT NULL CHECK (state IN ('RUNNING', 'PAUSED', 'STOPPED')),
    started_at    timestamptz NOT NULL,
    stopped_at    timestamptz,
    total_us      bigint NOT NULL CHECK (total_us >= 0),
    last_at       timestamptz NOT NULL,
    flags         text[] NOT NULL,
    started_by    uuid NOT NULL,
    source_offset bigint NOT NULL,
    PRIMARY KEY (slot, id)
);
CREATE INDEX timer_open_by_owner ON fold_v1.timer (slot, tenant, owner) WHERE state <> 'STOPPED';
CREATE INDEX timer_open_by_tenant ON fold_v1.timer (tenant, id) WHERE state <> 'STOPPED';

CREATE TABLE fold_v1.interval (
    slot     integer NOT NULL,
    timer_id bigint NOT NULL,
    seq      integer NOT NULL,
    tenant   text NOT NULL,
    owner    text NOT NULL,
    start_at timestamptz NOT NULL,
    end_at   timestamptz CHECK (end_at >= start_at),
    zone     text NOT NULL,
    PRIMARY KEY (slot, timer_id, seq)
);
CREATE UNIQUE INDEX interval_open ON fold_v1.interval (slot, timer_id) WHERE end_at IS NULL;
CREATE INDEX interval_by_end ON fold_v1.interval (slot, tenant, owner, end_at);

CREATE TABLE fold_v1.day_total (
    slot        integer NOT NULL,
    tenant      text NOT NULL,
    owner       text NOT NULL,
    day         date NOT NULL,
    total_us    bigint NOT NULL,
    billable_us bigint NOT NULL,
    PRIMARY KEY (slot, tenant, owner, day)
);

CREATE TABLE fold_v1.violation (
    slot            integer NOT NULL,
    timer_id        bigint NOT NULL,
    rule            text NOT NULL,
    from_at         timestamptz NOT NULL,
    to_at           timestamptz,
    amount_us       bigint,
    refused         boolean NOT NULL,
    tenant          text NOT NULL,
    owner           text NOT NULL,
    event_id        uuid NOT NULL,
    policy_revision bigint,
    PRIMARY KEY (slot, timer_id, rule, from_at)
);

-- The newest fact of each kind; `about` tells several of one kind apart (a day, a job), else it is empty.
CREATE TABLE fold_v1.owner_fact (
    slot   integer NOT NULL,
    tenant text NOT NULL,
    owner  text NOT NULL,
    kind   text NOT NULL,
    about  text NOT NULL,
    body   jsonb NOT NULL,
    PRIMARY KEY (slot, tenant, owner, kind, about)
);
