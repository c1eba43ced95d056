-- Make the roles that the services log in as, or give them other passwords. What they may do is given by `stint migrate`.
-- For psql, as a role that may make roles; again at any time. The passwords are variables:
--   \set command_api …   \set projector …   \set feed …
SELECT format('CREATE ROLE %I', name)
  FROM unnest('{stint_command_api, stint_projector, stint_feed}'::text[]) AS name
 WHERE to_regrole(name) IS NULL
\gexec
ALTER ROLE stint_command_api LOGIN PASSWORD :'command_api';
ALTER ROLE stint_projector LOGIN PASSWORD :'projector';
ALTER ROLE stint_feed LOGIN PASSWORD :'feed';
