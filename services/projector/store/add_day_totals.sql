-- Add what was worked to the local days on which it was worked.
INSERT INTO day_total (slot, tenant, owner, day, total_us, billable_us, changed_after_lock)
SELECT *
  FROM unnest($1::integer[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::bigint[], $7::boolean[])
    ON CONFLICT (slot, tenant, owner, day) DO UPDATE
   SET total_us = day_total.total_us + excluded.total_us,
       billable_us = day_total.billable_us + excluded.billable_us,
       changed_after_lock = day_total.changed_after_lock OR excluded.changed_after_lock;
