-- Keep the newest text of each event of each timer.
INSERT INTO timer_text (slot, timer_id, event_id, tenant, owner, comment, work_item)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
ON CONFLICT (slot, timer_id, event_id) DO UPDATE
   SET tenant = EXCLUDED.tenant, owner = EXCLUDED.owner, comment = EXCLUDED.comment, work_item = EXCLUDED.work_item;
