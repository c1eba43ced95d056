-- What each owner has worked on each job, over all timers and days, in closed intervals: estimates are compared with it.
CREATE TABLE fold_v1.job_total (
    slot     integer NOT NULL,
    tenant   text NOT NULL,
    owner    text NOT NULL,
    job_id   text NOT NULL,
    total_us bigint NOT NULL,
    PRIMARY KEY (slot, tenant, owner, job_id)
);

-- What was worked before.
INSERT INTO fold_v1.job_total (slot, tenant, owner, job_id, total_us)
SELECT t.slot, t.tenant, t.owner, t.job_id, sum((extract(epoch FROM i.end_at - i.start_at) * 1000000)::bigint)
  FROM fold_v1.timer t
  JOIN fold_v1.interval i ON i.slot = t.slot AND i.timer_id = t.id
 WHERE t.job_id IS NOT NULL AND i.end_at IS NOT NULL
 GROUP BY t.slot, t.tenant, t.owner, t.job_id;

CREATE VIEW job_total AS SELECT * FROM fold_v1.job_total;
