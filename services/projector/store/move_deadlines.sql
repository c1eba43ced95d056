-- Owners' next deadlines after the batch. An owner for whom nothing will fall due any more loses the row.
WITH asked AS (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::timestamptz[]) AS a (kpart, tenant, owner, due_at)
), gone AS (
    DELETE FROM deadline d
     USING asked a
     WHERE a.due_at IS NULL AND d.kpart = a.kpart AND d.tenant = a.tenant AND d.owner = a.owner
)
INSERT INTO deadline (kpart, tenant, owner, due_at)
SELECT kpart, tenant, owner, due_at FROM asked WHERE due_at IS NOT NULL
    ON CONFLICT (kpart, tenant, owner) DO UPDATE
   SET due_at = excluded.due_at
 WHERE deadline.due_at <> excluded.due_at;
