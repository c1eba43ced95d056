-- Write intervals that began or ended in the batch, those of a timer in order: one must end before the next is open.
MERGE INTO "interval" was
USING (
      SELECT *
        FROM unnest(
                 $1::integer[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[],
                 $7::timestamptz[], $8::text[], $9::timestamptz[], $10::text[]
             ) AS i (slot, timer_id, seq, tenant, owner, start_at, end_at, zone, logged_at, reason)
      ) now
   ON (was.timer_id, was.slot, was.seq)
      BETWEEN (now.timer_id, now.slot, now.seq) AND (now.timer_id, now.slot, now.seq)
 WHEN MATCHED THEN
      UPDATE
         SET end_at = now.end_at,
             logged_at = coalesce(was.logged_at, now.logged_at),
             reason = now.reason
 WHEN NOT MATCHED THEN
      INSERT (slot, timer_id, seq, tenant, owner, start_at, end_at, zone, logged_at, reason)
      VALUES (
          now.slot, now.timer_id, now.seq, now.tenant, now.owner, now.start_at, now.end_at, now.zone, now.logged_at,
          now.reason
      );
