-- The key of histories leads with the timer's id, as that of intervals does since 0019.
CREATE UNIQUE INDEX timer_history_by_timer ON fold_v1.timer_history (timer_id, slot, source_offset, by);
ALTER TABLE fold_v1.timer_history
    DROP CONSTRAINT timer_history_pkey,
    ADD CONSTRAINT timer_history_pkey PRIMARY KEY USING INDEX timer_history_by_timer;
