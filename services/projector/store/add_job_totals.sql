-- Add what was worked to the jobs on which it was worked; less than nothing, when an end was taken back.
INSERT INTO job_total (slot, tenant, owner, job_id, total_us)
SELECT *
  FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::bigint[])
    ON CONFLICT (slot, tenant, owner, job_id) DO UPDATE
   SET total_us = job_total.total_us + excluded.total_us;
