-- The index of events leads with the event's id and no more with its partition: ids of events without a key rise with
-- time, as those of timers do.
CREATE INDEX outcome_of_event ON outcome (event_id, kpart);
DROP INDEX outcome_by_event;
