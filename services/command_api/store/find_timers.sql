-- List a tenant's timers, started last first, before one of them and not before a beginning.
-- An optional condition uses no index, so `true` gives way to a condition that does, for each set of filters another.
-- By the other filters timers are looked at one by one, $13 at most. The last of so many comes back whether it fits or
-- not, because the next page goes on after it.
SELECT t.*, x.comment, x.work_item, (t.slot % d.partitions) || ':' || t.source_offset AS position
  FROM (
        SELECT *
          FROM (
                SELECT *,
                       row_number() OVER (ORDER BY started_at DESC, id DESC) AS nth,
                       ($6::integer IS NULL OR slot = $6)
                       AND ($7::text IS NULL OR owner = $7)
                       AND ($8::text IS NULL OR state = $8)
                       AND ($9::text IS NULL OR account_id = $9)
                       AND ($10::text IS NULL OR job_id = $10)
                       AND ($11::text IS NULL OR reference = $11)
                       AND ($12::text IS NULL OR $12 = ANY (flags)) AS fits
                  FROM (
                        SELECT *
                          FROM timer AS t
                         WHERE t.tenant = $1
                           AND true
                           AND (t.started_at, t.id) < (coalesce($3::timestamptz, 'infinity'), $4::bigint)
                           AND t.started_at >= coalesce($5::timestamptz, '-infinity')
                         ORDER BY t.started_at DESC, t.id DESC
                         LIMIT $13
                       ) AS in_order
               ) AS looked_at
         WHERE fits OR nth = $13
         ORDER BY started_at DESC, id DESC
         LIMIT $2
       ) AS t
 CROSS JOIN deployment AS d
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 ORDER BY t.started_at DESC, t.id DESC;
