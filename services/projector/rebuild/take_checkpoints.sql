-- The new tables stand where the live ones do.
UPDATE checkpoint c
   SET next_offset = l.next_offset,
       last_event_id = l.last_event_id,
       last_log_time = l.last_log_time,
       policy_rev = l.policy_rev,
       published = l.published,
       outcomes_next = l.outcomes_next
  FROM public.checkpoint l
 WHERE l.kpart = c.kpart;
