-- Where every partition stands on both logs, and how many of its outcomes ($1 at most) are not on the judged stream yet.
SELECT c.kpart, c.next_offset, c.outcomes_next, c.published, (
           SELECT count(*)
             FROM (SELECT FROM outcome AS o WHERE o.kpart = c.kpart AND o.source_offset >= c.published LIMIT $1) AS first
       ) AS unpublished
  FROM checkpoint AS c
 ORDER BY c.kpart;
