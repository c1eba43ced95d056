-- The key of intervals leads with the timer's id and no more with its slot: ids rise with time. New entries then come to
-- the end of the index, whose pages fill up before the next one is begun, and the pages that change between two
-- checkpoints are few. Reads go on while the index is built, and writes wait. One table a file: a commit that waits for
-- one of them must not be waited for with another.
CREATE UNIQUE INDEX interval_by_timer ON fold_v1.interval (timer_id, slot, seq);
ALTER TABLE fold_v1.interval
    DROP CONSTRAINT interval_pkey,
    ADD CONSTRAINT interval_pkey PRIMARY KEY USING INDEX interval_by_timer;
