-- Park records that no version can read. The log has their bytes.
INSERT INTO dead_letter (kpart, source_offset, log_time, reason)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[], $4::text[]);
