-- What every start asks for: the owner's running timers, however many are paused.
CREATE INDEX timer_running_by_owner ON fold_v1.timer (slot, tenant, owner) WHERE state = 'RUNNING';
