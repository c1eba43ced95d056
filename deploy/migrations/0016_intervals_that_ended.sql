-- Every question about an interval's end is about intervals that ended. One that runs is not in the index, so a start
-- writes one entry less.
DROP INDEX fold_v1.interval_by_end;
CREATE INDEX interval_by_end ON fold_v1.interval (slot, tenant, owner, end_at) WHERE end_at IS NOT NULL;
