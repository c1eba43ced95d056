-- Wait for the right to migrate; it ends with the transaction. The number only has to differ from other locks of ours.
SELECT pg_advisory_xact_lock(7240513201);
