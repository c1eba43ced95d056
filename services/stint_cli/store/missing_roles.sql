-- The services' roles that this server lacks, so that `stint migrate` could give them nothing.
SELECT name
  FROM unnest('{stint_command_api, stint_feed, stint_projector}'::text[]) AS name
 WHERE to_regrole(name) IS NULL
 ORDER BY name;
