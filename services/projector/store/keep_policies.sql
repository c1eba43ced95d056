-- Keep policies that came into force. A revision is written once and never changes, so one that is there is the same.
INSERT INTO policy (revision, tenant, replaces, set_by, set_at, document)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::jsonb[])
ON CONFLICT (revision) DO NOTHING;
