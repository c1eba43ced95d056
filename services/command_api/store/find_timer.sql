-- Find one timer of a tenant with its texts, its intervals and the position that it is told at.
SELECT t.*, x.comment, x.work_item,
       (t.slot % d.partitions) || ':' || t.source_offset AS position,
       i.starts, i.ends, i.reasons
  FROM timer AS t
 CROSS JOIN deployment AS d
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 CROSS JOIN LATERAL (
       SELECT array_agg(start_at ORDER BY seq) AS starts, array_agg(end_at ORDER BY seq) AS ends,
              array_agg(reason ORDER BY seq) AS reasons
         FROM "interval"
        WHERE slot = t.slot AND timer_id = t.id
       ) AS i
 WHERE t.slot = $1 AND t.id = $2 AND t.tenant = $3;
