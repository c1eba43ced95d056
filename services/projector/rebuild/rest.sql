-- Outcomes of one partition that the live tables have and the new ones lack, in order.
SELECT source_offset, body, packed
  FROM outcome
 WHERE kpart = $1 AND source_offset >= $2 AND source_offset < $3
 ORDER BY source_offset;
