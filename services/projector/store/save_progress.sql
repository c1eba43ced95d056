-- Write down how far partitions' outcomes are published, and say of each whether it still stands where we think.
-- In kpart order as the commit locks them, and past rows that a commit holds: nothing here waits for a lock.
WITH asked AS (
    SELECT *
      FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[])
        AS a (kpart, next_offset, published, outcomes_next)
), seen AS (
    SELECT c.kpart, c.next_offset = a.next_offset AS stands
      FROM checkpoint c
      JOIN asked a USING (kpart)
     ORDER BY c.kpart
       FOR UPDATE OF c SKIP LOCKED
), saved AS (
    UPDATE checkpoint c
       SET published = greatest(c.published, a.published),
           outcomes_next = greatest(c.outcomes_next, a.outcomes_next)
      FROM asked a
      JOIN seen s USING (kpart)
     WHERE c.kpart = a.kpart AND s.stands
)
SELECT kpart, stands FROM seen;
