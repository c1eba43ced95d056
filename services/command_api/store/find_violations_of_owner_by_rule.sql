-- List an owner's findings by one rule, by beginning, after one of them and before an end.
-- Both are places in the index of owners' findings, and no other index has them.
SELECT timer_id, owner, rule, from_at, to_at, amount_us, refused, event_id, policy_revision
  FROM violation
 WHERE (slot, tenant, owner, from_at, timer_id) > ($7, $1, $8, coalesce($4::timestamptz, '-infinity'), $5)
   AND (slot, tenant, owner, from_at) < ($7, $1, $8, coalesce($3::timestamptz, 'infinity'))
   AND rule = $6
 ORDER BY slot, tenant, owner, from_at, timer_id
 LIMIT $2;
