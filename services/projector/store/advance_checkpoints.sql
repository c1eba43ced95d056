-- Move partitions' checkpoints from where we read them to the end of the batch, in kpart order: all of them, or none.
-- Returns the partitions that are where we read them. One that is missing has moved, so another projector has it.
-- A commit puts its writes into this statement. They read their rows through `gate`: nothing is written before every
-- checkpoint is locked, and nothing at all when one of them has moved.
WITH asked AS (
    SELECT *
      FROM unnest(
               $1::integer[], $2::bigint[], $3::bigint[], $4::uuid[], $5::timestamptz[],
               $6::bigint[], $7::bigint[], $8::bigint[]
           ) AS a (kpart, read_at, next_offset, last_event_id, last_log_time, policy_rev, published, outcomes_next)
), ours AS (
    SELECT c.kpart
      FROM checkpoint c
      JOIN asked a ON a.kpart = c.kpart AND a.read_at = c.next_offset
     ORDER BY c.kpart
       FOR UPDATE OF c
), gate AS MATERIALIZED (
    SELECT FROM ours HAVING count(*) = cardinality($1)
), moved AS (
    UPDATE checkpoint c
       SET next_offset = a.next_offset,
           last_event_id = a.last_event_id,
           last_log_time = a.last_log_time,
           policy_rev = a.policy_rev,
           published = greatest(c.published, a.published),
           outcomes_next = greatest(c.outcomes_next, a.outcomes_next)
      FROM asked a
     CROSS JOIN gate
     WHERE c.kpart = a.kpart AND c.next_offset = a.read_at
)
SELECT kpart FROM ours;
