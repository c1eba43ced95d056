-- Find the newest outcome of a tenant's event id on one partition.
SELECT kpart, source_offset, event_id, log_time, body, packed
  FROM outcome
 WHERE kpart = $3
   AND event_id = $2
   AND tenant = $1
 ORDER BY log_time DESC
 LIMIT 1;
