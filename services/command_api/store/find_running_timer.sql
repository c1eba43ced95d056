-- Find the running timer of an owner: the one opened last, then the higher id.
SELECT t.id, t.owner, p.name, t.job_id, t.billable, t.work_date, x.work_item,
       i.start_at AS opened_at, i.zone, t.total_us AS closed_us
  FROM timer AS t
  JOIN "interval" AS i ON i.slot = t.slot AND i.timer_id = t.id AND i.end_at IS NULL
  LEFT JOIN person AS p ON p.tenant = t.tenant AND p.owner = t.owner
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 WHERE t.slot = $1 AND t.tenant = $2 AND t.owner = $3 AND t.state = 'RUNNING'
 ORDER BY i.start_at DESC, t.id DESC
 LIMIT 1;
