-- Every tenant, by name.
SELECT name FROM tenant ORDER BY name;
