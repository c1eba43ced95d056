-- List a tenant's open timers by id, from an offset on. Texts are read for the page alone.
SELECT t.id, t.account_id, t.started_at, x.comment
  FROM (
        SELECT *
          FROM timer
         WHERE tenant = $1
           AND state <> 'STOPPED'
         ORDER BY id
         LIMIT $2 OFFSET $3
       ) AS t
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 ORDER BY t.id;
