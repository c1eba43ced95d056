-- Write owners' next deadlines after the batch. The row of an owner for whom nothing will fall due is deleted.
MERGE INTO deadline d
USING (
      SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::timestamptz[]) AS a (kpart, tenant, owner, due_at)
      ) asked
   ON (d.kpart, d.tenant, d.owner)
      BETWEEN (asked.kpart, asked.tenant, asked.owner) AND (asked.kpart, asked.tenant, asked.owner)
 WHEN MATCHED AND asked.due_at IS NULL THEN DELETE
 WHEN MATCHED AND d.due_at <> asked.due_at THEN UPDATE SET due_at = asked.due_at
 WHEN NOT MATCHED AND asked.due_at IS NOT NULL THEN
      INSERT (kpart, tenant, owner, due_at) VALUES (asked.kpart, asked.tenant, asked.owner, asked.due_at);
