-- List a tenant's timers, started last first, before one of them and not before a beginning.
-- An optional condition uses no index, so `true` gives way to a condition that does, for each set of filters another.
SELECT t.*, x.comment, x.work_item, (t.slot % d.partitions) || ':' || t.source_offset AS position
  FROM timer AS t
 CROSS JOIN deployment AS d
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 WHERE t.tenant = $1
   AND true
   AND (t.started_at, t.id) < (coalesce($3::timestamptz, 'infinity'), $4::bigint)
   AND t.started_at >= coalesce($5::timestamptz, '-infinity')
   AND ($6::integer IS NULL OR t.slot = $6)
   AND ($7::text IS NULL OR t.owner = $7)
   AND ($8::text IS NULL OR t.state = $8)
   AND ($9::text IS NULL OR t.account_id = $9)
   AND ($10::text IS NULL OR t.job_id = $10)
   AND ($11::text IS NULL OR t.reference = $11)
   AND ($12::text IS NULL OR $12 = ANY (t.flags))
 ORDER BY t.started_at DESC, t.id DESC
 LIMIT $2;
