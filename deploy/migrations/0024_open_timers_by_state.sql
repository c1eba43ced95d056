-- Lists of who runs and of what is paused have an index each, in place of one for both: it had everybody who runs before
-- the first that is paused (0026). A timer is in one of the two at a time, so no press writes an entry more than before.
-- Reads go on while they are built, and commits wait.
CREATE INDEX timer_running_by_start ON fold_v1.timer (tenant, started_at, id) WHERE state = 'RUNNING';
CREATE INDEX timer_paused_by_start ON fold_v1.timer (tenant, started_at, id) WHERE state = 'PAUSED';
