-- Where the new tables stand, and where the live ones do, which readers see.
SELECT c.kpart, c.next_offset, c.outcomes_next, l.next_offset AS live_offset
  FROM checkpoint c
  JOIN public.checkpoint l USING (kpart)
 ORDER BY c.kpart;
