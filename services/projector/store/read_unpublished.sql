-- Committed outcomes of one partition that may not be on the judged stream yet, in order.
SELECT source_offset, body, packed
  FROM outcome
 WHERE kpart = $1 AND source_offset >= $2
 ORDER BY source_offset
 LIMIT $3;
