-- Where one partition stands.
SELECT kpart, next_offset, last_event_id, last_log_time, policy_rev, published, outcomes_next
  FROM checkpoint
 WHERE kpart = $1;
