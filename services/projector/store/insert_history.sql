-- Write lines of timers' histories. Each outcome is written once, and so are its lines.
INSERT INTO timer_history (slot, timer_id, source_offset, by, at, told, event_id, log_time)
SELECT *
  FROM unnest(
           $1::integer[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[], $7::uuid[],
           $8::timestamptz[]
       );
