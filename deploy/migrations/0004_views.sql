-- What readers see. A rebuild switches all of these to its own version in one transaction.
CREATE VIEW checkpoint AS SELECT * FROM fold_v1.checkpoint;
CREATE VIEW timer AS SELECT * FROM fold_v1.timer;
CREATE VIEW "interval" AS SELECT * FROM fold_v1.interval;
CREATE VIEW day_total AS SELECT * FROM fold_v1.day_total;
CREATE VIEW violation AS SELECT * FROM fold_v1.violation;
CREATE VIEW owner_fact AS SELECT * FROM fold_v1.owner_fact;
