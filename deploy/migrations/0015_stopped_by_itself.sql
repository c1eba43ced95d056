-- Timers that stopped by themselves, of an owner: a late press is judged as if they still ran.
CREATE INDEX timer_stopped_itself ON fold_v1.timer (slot, tenant, owner, last_at) WHERE provisional ->> 'by' = 'settle';
