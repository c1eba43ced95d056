-- Keep policies that came into force, and return those revisions that are here as another policy. A revision is written
-- once and never changes, so they are of another topic.
WITH given AS (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::jsonb[])
        AS g (revision, tenant, replaces, set_by, set_at, document)
), kept AS (
    INSERT INTO policy (revision, tenant, replaces, set_by, set_at, document)
    SELECT * FROM given
    ON CONFLICT (revision) DO NOTHING
)
SELECT g.revision
  FROM given AS g
  JOIN policy AS p USING (revision)
 WHERE (p.tenant, p.replaces, p.set_by, p.set_at) IS DISTINCT FROM (g.tenant, g.replaces, g.set_by, g.set_at)
 ORDER BY g.revision;
