-- Whether this deployment has folded anything yet.
SELECT EXISTS (SELECT FROM checkpoint WHERE next_offset > 0);
