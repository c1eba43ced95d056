-- When the log had the press that opened an interval, and the fact: what falls due goes by it. Rows of before have none.
ALTER TABLE fold_v1.interval ADD COLUMN logged_at timestamptz;
ALTER TABLE fold_v1.owner_fact ADD COLUMN known_at timestamptz;

CREATE OR REPLACE VIEW interval AS SELECT * FROM fold_v1.interval;
CREATE OR REPLACE VIEW owner_fact AS SELECT * FROM fold_v1.owner_fact;
