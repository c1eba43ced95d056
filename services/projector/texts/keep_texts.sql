-- Keep the newest text of each event of each timer, note the texts that were erased before they came, and move the
-- positions, which we have locked, past what was read.
-- A retry of a start comes with its text again, under another timer: the event says that the press is an older one.
WITH moved AS (
    UPDATE text_position AS p SET next_offset = passed.next_offset
      FROM unnest($8::integer[], $9::bigint[]) AS passed (kpart, next_offset)
     WHERE p.kpart = passed.kpart
), kept AS (
    INSERT INTO timer_text (slot, timer_id, event_id, tenant, owner, comment, work_item)
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
    ON CONFLICT (slot, timer_id, event_id) DO UPDATE
       SET tenant = EXCLUDED.tenant, owner = EXCLUDED.owner, comment = EXCLUDED.comment, work_item = EXCLUDED.work_item
    RETURNING slot, timer_id, event_id, tenant, owner
)
INSERT INTO text_to_erase (slot, timer_id)
SELECT DISTINCT t.slot, t.timer_id
  FROM kept AS t
  JOIN text_erasure AS e ON (e.slot, e.tenant, e.owner) = (t.slot, t.tenant, t.owner)
 WHERE t.timer_id < e.timers_below
    OR EXISTS (
       SELECT FROM outcome AS o
        WHERE o.kpart = e.kpart AND o.event_id = t.event_id AND o.source_offset < e.source_offset
          AND o.log_time > now() - interval '30 days')
ON CONFLICT DO NOTHING;
