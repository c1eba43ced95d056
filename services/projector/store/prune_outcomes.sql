-- Delete published outcomes that lie 31 days of log time behind the partition's newest record, and behind today.
-- A broker's clock that jumps a month ahead dates a record in the future: nothing is forgotten because of that.
-- Log time rises with the offset, so only the oldest are looked at. When all of them are too young, it is done. Those
-- that are dated in the future stay among them. Fewer than are looked at hold up no other; as many hold up all behind
-- them, until their time has come.
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
