-- List an owner's running and paused timers: the one opened last first, then the higher id.
-- No index has that order, so the last interval of each is looked at. Texts are read for the page alone.
-- They are sorted by state first, because only the index of an owner's open timers has that order.
SELECT t.*, x.comment, x.work_item, (t.slot % d.partitions) || ':' || t.source_offset AS position
  FROM (
        SELECT t.*, i.start_at AS opened_at
          FROM (
                SELECT *
                  FROM timer
                 WHERE slot = $1 AND tenant = $2 AND owner = $3 AND state <> 'STOPPED'
                 ORDER BY state
                OFFSET 0
               ) AS t
         CROSS JOIN LATERAL (
               SELECT start_at FROM "interval" WHERE slot = t.slot AND timer_id = t.id ORDER BY seq DESC LIMIT 1
               ) AS i
         ORDER BY i.start_at DESC, t.id DESC
         LIMIT $4
       ) AS t
 CROSS JOIN deployment AS d
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 ORDER BY t.opened_at DESC, t.id DESC;
