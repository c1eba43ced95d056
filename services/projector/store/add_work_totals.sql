-- Add what was worked for accounts and jobs to the local days on which it was worked.
MERGE INTO work_total was
USING (
      SELECT *
        FROM unnest(
                 $1::integer[], $2::text[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::bigint[], $8::boolean[]
             ) AS w (slot, tenant, kind, about, day, total_us, billable_us, changed_after_lock)
      ) more
   ON (was.tenant, was.kind, was.about, was.day, was.slot)
      BETWEEN (more.tenant, more.kind, more.about, more.day, more.slot) AND (more.tenant, more.kind, more.about, more.day, more.slot)
 WHEN MATCHED THEN
      UPDATE
         SET total_us = was.total_us + more.total_us,
             billable_us = was.billable_us + more.billable_us,
             changed_after_lock = was.changed_after_lock OR more.changed_after_lock
 WHEN NOT MATCHED THEN
      INSERT (slot, tenant, kind, about, day, total_us, billable_us, changed_after_lock)
      VALUES (
          more.slot, more.tenant, more.kind, more.about, more.day, more.total_us, more.billable_us,
          more.changed_after_lock
      );
