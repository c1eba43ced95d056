-- Where every partition stands on both logs, and how many of its outcomes are not on the judged stream yet.
SELECT c.kpart, c.next_offset, c.outcomes_next, (
           SELECT count(*) FROM outcome AS o WHERE o.kpart = c.kpart AND o.source_offset >= c.published
       ) AS unpublished
  FROM checkpoint AS c
 ORDER BY c.kpart;
