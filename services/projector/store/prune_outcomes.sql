-- Delete published outcomes that lie 31 days of log time behind the partition's newest record, oldest first.
DELETE FROM outcome o
 USING (
        SELECT old.kpart, old.source_offset
          FROM outcome old
          JOIN checkpoint c USING (kpart)
         WHERE old.kpart = $1
           AND old.source_offset < c.published
           AND old.log_time < c.last_log_time - interval '31 days'
         ORDER BY old.source_offset
         LIMIT $2
       ) gone
 WHERE o.kpart = gone.kpart AND o.source_offset = gone.source_offset;
