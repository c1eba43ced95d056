-- Timers as they stand after the batch. Who started a timer is said once, when it is new.
INSERT INTO timer (
    slot, id, tenant, owner, account_id, job_id, project_id, billable, work_date, state,
    started_at, stopped_at, total_us, last_at, flags, started_by, source_offset, provisional, reference
)
SELECT slot, id, tenant, owner, account_id, job_id, project_id, billable, work_date, state, started_at, stopped_at,
       total_us, last_at, coalesce(string_to_array(nullif(flags, ''), ','), '{}'), started_by, source_offset,
       provisional::jsonb, reference
  FROM unnest(
           $1::integer[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
           $9::date[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::timestamptz[],
           $15::text[], $16::uuid[], $17::bigint[], $18::text[], $19::text[]
       ) AS t (
           slot, id, tenant, owner, account_id, job_id, project_id, billable,
           work_date, state, started_at, stopped_at, total_us, last_at,
           flags, started_by, source_offset, provisional, reference
       )
    ON CONFLICT (slot, id) DO UPDATE
   SET state = excluded.state,
       stopped_at = excluded.stopped_at,
       total_us = excluded.total_us,
       last_at = excluded.last_at,
       flags = excluded.flags,
       provisional = excluded.provisional,
       source_offset = excluded.source_offset;
