-- Erase every text of some timers, whichever event wrote it.
DELETE FROM timer_text AS t
 USING unnest($1::integer[], $2::bigint[]) AS erased (slot, timer_id)
 WHERE t.slot = erased.slot AND t.timer_id = erased.timer_id;
