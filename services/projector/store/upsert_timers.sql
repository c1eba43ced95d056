-- Write timers as they stand after the batch. When only a flag of a timer changed, `provisional` is null as JSON, and the
-- row keeps an end that may be taken back. `started_by` is written once, when the timer is new.
-- MERGE looks a row up and then writes it, with one record in the WAL. ON CONFLICT would write two or three: it cannot
-- know that the checkpoint's lock keeps every other writer of these rows away.
MERGE INTO timer was
USING (
      SELECT slot, id, tenant, owner, account_id, job_id, project_id, billable, work_date, state, started_at, stopped_at,
             total_us, last_at, coalesce(string_to_array(nullif(flags, ''), ','), '{}') AS flags, started_by,
             source_offset, provisional::jsonb AS provisional, reference
        FROM unnest(
                 $1::integer[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::boolean[], $9::date[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::bigint[],
                 $14::timestamptz[], $15::text[], $16::uuid[], $17::bigint[], $18::text[], $19::text[]
             ) AS t (
                 slot, id, tenant, owner, account_id, job_id, project_id, billable,
                 work_date, state, started_at, stopped_at, total_us, last_at,
                 flags, started_by, source_offset, provisional, reference
             )
      ) now
   ON (was.slot, was.id) BETWEEN (now.slot, now.id) AND (now.slot, now.id)
 WHEN MATCHED THEN
      UPDATE
         SET state = now.state,
             stopped_at = now.stopped_at,
             total_us = now.total_us,
             last_at = now.last_at,
             flags = now.flags,
             provisional = CASE
                 WHEN now.provisional = 'null'
                 THEN was.provisional || jsonb_build_object('source_offset', now.source_offset)
                 ELSE now.provisional
             END,
             source_offset = now.source_offset
 WHEN NOT MATCHED THEN
      INSERT (
          slot, id, tenant, owner, account_id, job_id, project_id, billable, work_date, state,
          started_at, stopped_at, total_us, last_at, flags, started_by, source_offset, provisional, reference
      ) VALUES (
          now.slot, now.id, now.tenant, now.owner, now.account_id, now.job_id, now.project_id, now.billable,
          now.work_date, now.state, now.started_at, now.stopped_at, now.total_us, now.last_at,
          now.flags, now.started_by, now.source_offset, now.provisional, now.reference
      );
