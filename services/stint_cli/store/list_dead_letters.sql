-- The newest events that could not be read.
SELECT kpart, source_offset, log_time, reason
  FROM dead_letter
 ORDER BY log_time DESC, kpart, source_offset DESC
 LIMIT $1;
