-- What became known about owners; a field that a new fact does not name stays as it was.
INSERT INTO owner_fact (slot, tenant, owner, kind, about, body)
SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
    ON CONFLICT (slot, tenant, owner, kind, about) DO UPDATE
   SET body = owner_fact.body || excluded.body;
