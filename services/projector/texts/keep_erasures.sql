-- Keep whose texts were erased, and note the texts that are here already. An owner comes once.
WITH erased AS (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::integer[], $5::bigint[], $6::bigint[])
        AS e (slot, tenant, owner, kpart, source_offset, timers_below)
), kept AS (
    INSERT INTO text_erasure AS k (slot, tenant, owner, kpart, source_offset, timers_below)
    SELECT slot, tenant, owner, kpart, source_offset, timers_below FROM erased
    ON CONFLICT (slot, tenant, owner) DO UPDATE
       SET source_offset = greatest(k.source_offset, EXCLUDED.source_offset),
           timers_below = greatest(k.timers_below, EXCLUDED.timers_below)
)
INSERT INTO text_to_erase (slot, timer_id)
SELECT DISTINCT t.slot, t.timer_id
  FROM erased AS e
  JOIN timer_text AS t ON (t.slot, t.tenant, t.owner) = (e.slot, e.tenant, e.owner)
 WHERE t.timer_id < e.timers_below
    OR EXISTS (
       SELECT FROM outcome AS o
        WHERE o.kpart = e.kpart AND o.event_id = t.event_id AND o.source_offset < e.source_offset
          AND o.log_time > now() - interval '30 days')
ON CONFLICT DO NOTHING;
