-- Move partitions' checkpoints from where we read them to the end of the batch, in kpart order: all of them, or none.
-- Returns the partitions that are where we read them. One that is missing has moved, so another projector has it.
-- A commit puts its writes into this statement. They read their rows through `gate`: nothing is written before every
-- checkpoint is locked, and nothing at all when one of them has moved, or when something is known of what the fold took
-- for news: a verdict on one of these events, or a timer whose id one of the starts drew.
WITH asked AS (
    SELECT *
      FROM unnest(
               $1::integer[], $2::bigint[], $3::bigint[], $4::uuid[], $5::timestamptz[],
               $6::bigint[], $7::bigint[], $8::bigint[]
           ) AS a (kpart, read_at, next_offset, last_event_id, last_log_time, policy_rev, published, outcomes_next)
), ours AS (
    SELECT c.kpart
      FROM (SELECT kpart, read_at FROM asked ORDER BY kpart) a
     CROSS JOIN LATERAL (
           SELECT c.kpart FROM checkpoint c WHERE c.kpart = a.kpart AND c.next_offset = a.read_at FOR UPDATE
           ) c
), news AS MATERIALIZED (
    SELECT EXISTS (
               SELECT FROM unnest($9::integer[], $10::uuid[]) AS e (kpart, event_id)
                CROSS JOIN LATERAL (
                      SELECT
                        FROM outcome v
                       WHERE (v.event_id, v.kpart) BETWEEN (e.event_id, e.kpart) AND (e.event_id, e.kpart)
                       LIMIT 1
                      ) v
           )
        OR EXISTS (
               SELECT FROM unnest($11::integer[], $12::bigint[]) AS w (slot, id)
                CROSS JOIN LATERAL (
                      SELECT FROM timer t WHERE (t.slot, t.id) BETWEEN (w.slot, w.id) AND (w.slot, w.id) LIMIT 1
                      ) t
           ) AS known
), gate AS MATERIALIZED (
    SELECT FROM ours HAVING count(*) = cardinality($1) AND NOT (SELECT known FROM news)
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
SELECT kpart, known FROM ours CROSS JOIN news;
