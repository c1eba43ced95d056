-- List what happened to a timer, behind an offset; what one record brought about is never parted.
SELECT h.source_offset, (h.slot % d.partitions) || ':' || h.source_offset AS position, h.by, h.at, h.told,
       h.event_id, h.log_time
  FROM (
        SELECT *
          FROM timer_history
         WHERE slot = $1 AND timer_id = $2 AND source_offset > $3
         ORDER BY source_offset
         FETCH FIRST $4 ROWS WITH TIES
       ) AS h
 CROSS JOIN deployment AS d
 ORDER BY h.source_offset, h.at, h.by;
