-- Lock the search for erasures until the end of the transaction, unless another projector has it. The number is ours.
SELECT pg_try_advisory_xact_lock(6024511872203);
