-- One rebuild at a time. The lock ends with the session; the number only has to differ from our other locks.
SELECT pg_try_advisory_lock(7240513215);
