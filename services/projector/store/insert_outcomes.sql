-- Write down verdicts: answer store, dedupe and outbox in one.
INSERT INTO outcome (kpart, source_offset, event_id, tenant, digest, log_time, body)
SELECT *
  FROM unnest($1::integer[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[]);
