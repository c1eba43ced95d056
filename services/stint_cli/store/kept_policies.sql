-- Which policies projectors have read, and who set each.
SELECT revision, tenant, replaces, set_by, set_at FROM policy ORDER BY revision;
