-- Find the running timer of an owner: the one opened last, then the higher id. All that run are looked at.
-- A range of states with one state in it, and orders that one index has: no other will do (`read_touched`).
SELECT t.id, t.owner, p.name, t.job_id, t.billable, t.work_date, x.work_item,
       t.opened_at, t.zone, t.total_us AS closed_us
  FROM (
        SELECT t.*, i.start_at AS opened_at, i.zone
          FROM (
                SELECT *
                  FROM timer
                 WHERE slot = $1 AND tenant = $2 AND owner = $3 AND state BETWEEN 'RUNNING' AND 'RUNNING'
                 ORDER BY state
                OFFSET 0
               ) AS t
         CROSS JOIN LATERAL (
               SELECT start_at, zone
                 FROM "interval"
                WHERE (slot, timer_id) BETWEEN (t.slot, t.id) AND (t.slot, t.id) AND end_at IS NULL
                ORDER BY slot, timer_id
                LIMIT 1
               ) AS i
         ORDER BY i.start_at DESC, t.id DESC
         LIMIT 1
       ) AS t
  LEFT JOIN person AS p ON p.tenant = t.tenant AND p.owner = t.owner
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by);
