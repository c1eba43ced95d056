-- What the role of each service may do, as statements: all is taken from a role first, then what it needs is given.
-- A role that this server lacks is passed over, and so is one that owns tables here: it is the one role for everything.
-- Tables of others are left alone.
WITH needs (role, rights, place, names) AS (
    VALUES
    ('stint_command_api', 'SELECT', 'public', '{checkpoint, client, day_total, deployment, interval, outcome,
      owner_fact, person, person_token, timer, timer_history, timer_text, violation, work_total}'::text[]),
    ('stint_command_api', 'UPDATE (aliases)', 'public', '{person}'),
    ('stint_command_api', 'SELECT, INSERT, UPDATE, DELETE', 'public', '{threshold}'),
    ('stint_feed', 'SELECT (id, revoked_at)', 'public', '{client}'),
    ('stint_feed', 'SELECT (token_sha256, expires_at)', 'public', '{person_token}'),
    ('stint_projector', 'SELECT', 'public', '{deployment}'),
    ('stint_projector', 'INSERT', 'public', '{dead_letter}'),
    ('stint_projector', 'SELECT, INSERT', 'public', '{policy}'),
    ('stint_projector', 'SELECT, INSERT, DELETE', 'public', '{outcome, text_to_erase}'),
    ('stint_projector', 'SELECT, INSERT, UPDATE', 'public', '{erasure_position, text_erasure, text_position}'),
    ('stint_projector', 'SELECT, INSERT, UPDATE, DELETE', 'public', '{timer_text}'),
    -- All tables of the read models, also those that a later migration makes.
    ('stint_projector', 'SELECT, INSERT, UPDATE, DELETE', 'fold_v1', NULL)
), tables AS (
    SELECT n.nspname AS place, c.relname AS name, c.relowner AS owner, format('%I.%I', n.nspname, c.relname) AS written
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN (SELECT place FROM needs) AND c.relkind IN ('r', 'v') AND pg_has_role(c.relowner, 'USAGE')
), roles AS (
    SELECT rolname AS name
      FROM pg_roles
     WHERE rolname IN (SELECT role FROM needs) AND oid NOT IN (SELECT owner FROM tables)
), statements (step, statement) AS (
    SELECT 1, format('REVOKE ALL ON %s FROM %I', string_agg(t.written, ', '), r.name)
      FROM roles r
     CROSS JOIN tables t
     GROUP BY r.name
     UNION ALL
    -- By default everybody may do this and the next. Where an operator has taken that back, the services still need it.
    -- A helper that catches up has temporary tables.
    SELECT 2, format('GRANT CONNECT%s ON DATABASE %I TO %I',
                     CASE name WHEN 'stint_projector' THEN ', TEMPORARY' END, current_database(), name)
      FROM roles
     UNION ALL
    SELECT 3, format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, r.name)
      FROM roles r
      JOIN pg_namespace n ON n.nspname = 'public' OR n.nspname IN (SELECT place FROM needs WHERE role = r.name)
     UNION ALL
    SELECT 4, format('GRANT %s ON %s TO %I', w.rights, string_agg(t.written, ', '), r.name)
      FROM roles r
      JOIN needs w ON w.role = r.name
      JOIN tables t ON t.place = w.place AND (w.names IS NULL OR t.name = ANY (w.names))
     GROUP BY w.rights, w.place, w.names, r.name
     UNION ALL
    -- By default everybody may, too.
    SELECT 5, format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, r.name)
      FROM roles r
      JOIN pg_proc p ON p.pronamespace = 'public'::regnamespace AND p.proname = 'count_requests'
     WHERE r.name = 'stint_command_api' AND pg_has_role(p.proowner, 'USAGE')
)
SELECT statement FROM statements ORDER BY step;
