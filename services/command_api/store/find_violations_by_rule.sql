-- List a tenant's findings by one rule, by beginning, after one of them and before an end.
SELECT timer_id, owner, rule, from_at, to_at, amount_us, refused, event_id, policy_revision
  FROM violation
 WHERE tenant = $1
   AND rule = $6
   AND (from_at, timer_id) > (coalesce($4::timestamptz, '-infinity'), $5)
   AND from_at < coalesce($3::timestamptz, 'infinity')
 ORDER BY from_at, timer_id
 LIMIT $2;
