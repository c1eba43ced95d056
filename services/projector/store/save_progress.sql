-- Write down how far a partition's outcomes are published, if it still stands where we think it does.
UPDATE checkpoint
   SET published = greatest(published, $3), outcomes_next = greatest(outcomes_next, $4)
 WHERE kpart = $1 AND next_offset = $2;
