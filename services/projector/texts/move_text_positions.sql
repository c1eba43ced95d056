-- Move the positions of partitions that we have locked past what was kept.
UPDATE text_position AS p SET next_offset = moved.next_offset
  FROM unnest($1::integer[], $2::bigint[]) AS moved (kpart, next_offset)
 WHERE p.kpart = moved.kpart;
