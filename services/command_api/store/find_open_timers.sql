-- List a tenant's open timers by id, from an offset on.
SELECT t.id, t.account_id, t.started_at, x.comment
  FROM timer AS t
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 WHERE t.tenant = $1
   AND t.state <> 'STOPPED'
 ORDER BY t.id
 LIMIT $2 OFFSET $3;
