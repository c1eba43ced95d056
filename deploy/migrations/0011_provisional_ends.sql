-- How a timer's last interval ended when nobody pressed its end: such an end may be taken back. NULL for any other.
-- It has the days that the end added, and the offset of the record that wrote it: a release of before, which does not
-- know the column, changes `source_offset` alone, and then the end stands.
ALTER TABLE fold_v1.timer ADD COLUMN provisional jsonb;

CREATE OR REPLACE VIEW timer AS SELECT * FROM fold_v1.timer;
