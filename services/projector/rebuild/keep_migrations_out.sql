-- Wait for the lock that `stint migrate` takes; it ends with the transaction.
SELECT pg_advisory_xact_lock(7240513201);
