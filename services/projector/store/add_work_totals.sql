-- Add what was worked for accounts and jobs to the local days on which it was worked.
INSERT INTO work_total (slot, tenant, kind, about, day, total_us, billable_us, changed_after_lock)
SELECT *
  FROM unnest(
           $1::integer[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::bigint[], $8::boolean[]
       )
    ON CONFLICT (tenant, kind, about, day, slot) DO UPDATE
   SET total_us = work_total.total_us + excluded.total_us,
       billable_us = work_total.billable_us + excluded.billable_us,
       changed_after_lock = work_total.changed_after_lock OR excluded.changed_after_lock;
