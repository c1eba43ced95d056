-- Find the next offset that a partition will fold.
SELECT next_offset
  FROM checkpoint
 WHERE kpart = $1;
