-- Find the newest outcome of a tenant's event id, on whichever partition it is: one step into the index for each.
SELECT kpart, source_offset, event_id, digest, log_time, body
  FROM outcome
 WHERE kpart = ANY (ARRAY (SELECT generate_series(0, partitions - 1) FROM deployment))
   AND event_id = $2
   AND tenant = $1
 ORDER BY log_time DESC
 LIMIT 1;
