-- Intervals that began or ended in the batch, each timer's in order: one must end before the next is open.
INSERT INTO "interval" (slot, timer_id, seq, tenant, owner, start_at, end_at, zone, logged_at, reason)
SELECT *
  FROM unnest(
           $1::integer[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
           $8::text[], $9::timestamptz[], $10::text[]
       )
    ON CONFLICT (slot, timer_id, seq) DO UPDATE
   SET end_at = excluded.end_at,
       logged_at = coalesce("interval".logged_at, excluded.logged_at),
       reason = excluded.reason;
