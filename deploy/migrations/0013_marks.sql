-- What callers say for ever: their own id of a timer, and the code with which a pause ended an interval.
ALTER TABLE fold_v1.timer ADD COLUMN reference text;
ALTER TABLE fold_v1.interval ADD COLUMN reason text;

CREATE OR REPLACE VIEW timer AS SELECT * FROM fold_v1.timer;
CREATE OR REPLACE VIEW interval AS SELECT * FROM fold_v1.interval;

-- What lists of timers ask for: all of a tenant, or those of an owner, a job, an account or a reference, by their start.
CREATE INDEX timer_by_tenant ON fold_v1.timer (tenant, started_at, id);
CREATE INDEX timer_by_owner ON fold_v1.timer (tenant, owner, started_at, id);
CREATE INDEX timer_by_job ON fold_v1.timer (tenant, job_id, started_at, id) WHERE job_id IS NOT NULL;
CREATE INDEX timer_by_account ON fold_v1.timer (tenant, account_id, started_at, id) WHERE account_id IS NOT NULL;
CREATE INDEX timer_by_reference ON fold_v1.timer (tenant, reference, started_at, id) WHERE reference IS NOT NULL;
-- Few timers are open or flagged at any time. The list of an owner's open timers needs their order too.
DROP INDEX fold_v1.timer_open_by_owner;
CREATE INDEX timer_open_by_owner ON fold_v1.timer (slot, tenant, owner, started_at, id) WHERE state <> 'STOPPED';
CREATE INDEX timer_open_by_start ON fold_v1.timer (tenant, started_at, id) WHERE state <> 'STOPPED';
CREATE INDEX timer_flagged ON fold_v1.timer (tenant, started_at, id) WHERE flags <> '{}';

-- What was worked for an account or a job (`kind`), day by day and slot by slot: readers add the slots up, each of which
-- one partition writes. The key is in the order in which a report asks.
CREATE TABLE fold_v1.work_total (
    slot               integer NOT NULL,
    tenant             text NOT NULL,
    kind               text NOT NULL CHECK (kind IN ('account', 'job')),
    about              text NOT NULL,
    day                date NOT NULL,
    total_us           bigint NOT NULL,
    billable_us        bigint NOT NULL,
    changed_after_lock boolean NOT NULL,
    PRIMARY KEY (tenant, kind, about, day, slot)
);
CREATE VIEW work_total AS SELECT * FROM fold_v1.work_total;

-- What happened to a timer, for ever: outcomes are pruned. `told` is JSON as text, because a client's name may hold what
-- jsonb refuses. `by`: its own press, something that fell due, or the start of another timer.
CREATE TABLE fold_v1.timer_history (
    slot          integer NOT NULL,
    timer_id      bigint NOT NULL,
    source_offset bigint NOT NULL,
    by            text NOT NULL,
    at            timestamptz NOT NULL,
    told          text NOT NULL,
    PRIMARY KEY (slot, timer_id, source_offset, by)
);
CREATE VIEW timer_history AS SELECT * FROM fold_v1.timer_history;
