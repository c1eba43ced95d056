-- Intervals longer than a weekend. An owner's days of long ago are found by the ends of intervals up to three days later,
-- and an interval that ended still later is in here. Few intervals are so long, so presses hardly ever write an entry.
-- `start_at` gives it an order of its own, by which it is chosen. Reads go on while it is built, and commits wait.
CREATE INDEX interval_long ON fold_v1.interval (slot, tenant, owner, end_at, start_at)
 WHERE end_at - start_at > interval '3 days';
