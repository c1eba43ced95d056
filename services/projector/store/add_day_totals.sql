-- Add what was worked to the local days on which it was worked.
MERGE INTO day_total was
USING (
      SELECT *
        FROM unnest(
                 $1::integer[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::bigint[], $7::boolean[]
             ) AS w (slot, tenant, owner, day, total_us, billable_us, changed_after_lock)
      ) more
   ON (was.slot, was.tenant, was.owner, was.day)
      BETWEEN (more.slot, more.tenant, more.owner, more.day) AND (more.slot, more.tenant, more.owner, more.day)
 WHEN MATCHED THEN
      UPDATE
         SET total_us = was.total_us + more.total_us,
             billable_us = was.billable_us + more.billable_us,
             changed_after_lock = was.changed_after_lock OR more.changed_after_lock
 WHEN NOT MATCHED THEN
      INSERT (slot, tenant, owner, day, total_us, billable_us, changed_after_lock)
      VALUES (
          more.slot, more.tenant, more.owner, more.day, more.total_us, more.billable_us, more.changed_after_lock
      );
