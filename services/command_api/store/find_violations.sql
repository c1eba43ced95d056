-- List a tenant's findings by beginning, after one of them and before an end.
SELECT timer_id, owner, rule, from_at, to_at, amount_us, refused, event_id, policy_revision
  FROM violation
 WHERE tenant = $1
   AND (from_at, timer_id, rule) > (coalesce($4::timestamptz, '-infinity'), $5, $6)
   AND from_at < coalesce($3::timestamptz, 'infinity')
 ORDER BY from_at, timer_id, rule
 LIMIT $2;
