-- List an owner's running and paused timers: the one opened last first, then the higher id.
SELECT t.*, x.comment, x.work_item, (t.slot % d.partitions) || ':' || t.source_offset AS position
  FROM timer AS t
 CROSS JOIN deployment AS d
 CROSS JOIN LATERAL (
       SELECT start_at FROM "interval" WHERE slot = t.slot AND timer_id = t.id ORDER BY seq DESC LIMIT 1
       ) AS i
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 WHERE t.slot = $1 AND t.tenant = $2 AND t.owner = $3 AND t.state <> 'STOPPED'
 ORDER BY i.start_at DESC, t.id DESC
 LIMIT $4;
