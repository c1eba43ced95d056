-- An owner's running timers are found by the index of their open ones, which has the state in its key now: a start
-- writes one entry less, however many timers its owner has paused. Reads go on while the new one is built.
CREATE INDEX timer_open_of_owner ON fold_v1.timer (slot, tenant, owner, state, started_at, id) WHERE state <> 'STOPPED';
DROP INDEX fold_v1.timer_running_by_owner;
DROP INDEX fold_v1.timer_open_by_owner;
