-- Write down verdicts: answer store, dedupe and outbox in one.
INSERT INTO outcome (kpart, source_offset, event_id, tenant, log_time, body, packed)
SELECT *
  FROM unnest(
           $1::integer[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::bytea[]
       );
