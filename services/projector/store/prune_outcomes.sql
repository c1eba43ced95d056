-- Delete published outcomes that lie 31 days of log time behind the partition's newest record, and behind today.
-- A broker's clock that jumps a month ahead dates a record in the future: nothing is forgotten because of that.
-- Log time rises with the offset, so only the oldest are looked at. When all of them are too young, it is done; one
-- that is dated in the future stays among them and holds up no other.
DELETE FROM outcome o
 USING (
        SELECT old.kpart, old.source_offset
          FROM outcome old
          JOIN checkpoint c ON c.kpart = old.kpart AND old.source_offset < c.published
         WHERE old.kpart = $1
         ORDER BY old.source_offset
         LIMIT $2
       ) oldest,
       checkpoint c
 WHERE o.kpart = oldest.kpart
   AND o.source_offset = oldest.source_offset
   AND c.kpart = o.kpart
   AND o.log_time < least(c.last_log_time, now()) - interval '31 days';
