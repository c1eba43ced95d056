-- Find the next offsets that some partitions will fold.
SELECT kpart, next_offset
  FROM checkpoint
 WHERE kpart = ANY ($1::integer[]);
