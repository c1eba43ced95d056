-- What callers say for ever: their own id of a timer, and the code with which a pause ended an interval.
ALTER TABLE fold_v1.timer ADD COLUMN reference text;
ALTER TABLE fold_v1.interval ADD COLUMN reason text;

CREATE OR REPLACE VIEW timer AS SELECT * FROM fold_v1.timer;
CREATE OR REPLACE VIEW interval AS SELECT * FROM fold_v1.interval;
