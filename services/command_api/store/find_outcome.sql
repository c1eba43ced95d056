-- Find the newest outcome of a tenant's event id; $3 null: on whichever partition it is.
SELECT kpart, source_offset, event_id, digest, log_time, body
  FROM outcome
 WHERE kpart = ANY (SELECT generate_series(0, partitions - 1) FROM deployment)
   AND event_id = $2
   AND tenant = $1
   AND ($3::integer IS NULL OR kpart = $3)
 ORDER BY log_time DESC
 LIMIT 1;
