-- Delete published outcomes that lie 31 days of log time behind the partition's newest record, and behind today.
-- "Behind today" is for a broker's clock that jumps a month ahead: a record of the future deletes no outcome.
-- Log time rises with the offset, so only the oldest rows are read. When all of them are too young, it is done. Rows with
-- a log time in the future stay among the oldest. If there are as many as are read at once, they delay all rows behind
-- them until their time has come.
-- Each is looked up by its whole key as one row: planned on an empty table, equal columns would be compared with all rows.
DELETE FROM outcome o
 USING checkpoint c
 CROSS JOIN LATERAL (
       SELECT old.kpart, old.source_offset
         FROM outcome old
        WHERE old.kpart = c.kpart
          AND old.source_offset < c.published
        ORDER BY old.source_offset
        LIMIT $2
       ) oldest
 WHERE c.kpart = $1
   AND (o.kpart, o.source_offset) BETWEEN (oldest.kpart, oldest.source_offset) AND (oldest.kpart, oldest.source_offset)
   AND o.log_time < least(c.last_log_time, now()) - interval '31 days';
