-- Add what was worked to the jobs on which it was worked; less than nothing, when an end was taken back.
MERGE INTO job_total was
USING (
      SELECT *
        FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::bigint[])
          AS w (slot, tenant, owner, job_id, total_us)
      ) more
   ON (was.slot, was.tenant, was.owner, was.job_id)
      BETWEEN (more.slot, more.tenant, more.owner, more.job_id) AND (more.slot, more.tenant, more.owner, more.job_id)
 WHEN MATCHED THEN UPDATE SET total_us = was.total_us + more.total_us
 WHEN NOT MATCHED THEN
      INSERT (slot, tenant, owner, job_id, total_us)
      VALUES (more.slot, more.tenant, more.owner, more.job_id, more.total_us);
