-- Find one timer of a tenant with its texts, its intervals and the position that it is told at.
-- Its key is one row, which no other index can look for.
SELECT t.*, x.comment, x.work_item,
       (t.slot % d.partitions) || ':' || t.source_offset AS position,
       i.starts, i.ends, i.reasons
  FROM (SELECT * FROM timer WHERE (slot, id) BETWEEN ($1, $2) AND ($1, $2) LIMIT 1) AS t
 CROSS JOIN deployment AS d
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 CROSS JOIN LATERAL (
       SELECT array_agg(start_at ORDER BY seq) AS starts, array_agg(end_at ORDER BY seq) AS ends,
              array_agg(reason ORDER BY seq) AS reasons
         FROM "interval"
        WHERE slot = t.slot AND timer_id = t.id
       ) AS i
 WHERE t.tenant = $3;
