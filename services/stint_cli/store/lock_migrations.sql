-- Wait for the migration lock; it ends with the transaction. The number only has to differ from our other locks.
SELECT pg_advisory_xact_lock(7240513201);
