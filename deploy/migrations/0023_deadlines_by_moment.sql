-- The index of deadlines by their moment is for questions that name a moment, and says so. A commit looks rows up by
-- their owner. While the table is small, Postgres finds either index as good for that, and keeps to its choice while the
-- table grows: by moment, it would read all deadlines of a partition. Reads go on while the new one is built.
CREATE INDEX deadline_of_moment ON fold_v1.deadline (kpart, due_at, tenant, owner) WHERE due_at > '-infinity';
DROP INDEX fold_v1.deadline_by_moment;
