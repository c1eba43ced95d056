-- The services' roles that may read nothing here, not even what their service cannot begin without.
-- One that this server lacks is no such role: another one does its work.
SELECT role
  FROM (VALUES ('stint_command_api', 'public.client'), ('stint_feed', 'public.client'),
               ('stint_projector', 'public.outcome')) AS needs (role, place)
 WHERE NOT has_any_column_privilege(to_regrole(role)::oid, to_regclass(place)::oid, 'SELECT')
 ORDER BY role;
