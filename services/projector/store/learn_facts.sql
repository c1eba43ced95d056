-- What became known about owners. A profile is told in parts: a field that is not named stays as it was.
INSERT INTO owner_fact (slot, tenant, owner, kind, about, body, known_at)
SELECT *
  FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[])
    ON CONFLICT (slot, tenant, owner, kind, about) DO UPDATE
   SET body = CASE WHEN excluded.kind = 'profile' THEN owner_fact.body || excluded.body ELSE excluded.body END,
       known_at = excluded.known_at;
